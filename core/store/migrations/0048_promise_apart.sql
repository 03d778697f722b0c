-- expand
-- A promise that was made apart from the reply with which it waits outlives that: where the reply is
-- taken back or refused, it begins without it. What a reply promises is taken from it as it begins.
alter table reply add column follow_up_apart boolean not null default false;
comment on column reply.follow_up_apart is 'whether what it promises was promised apart from it: it begins, whatever becomes of the reply';
comment on column reply.follow_up_at is 'by when it promises the buyer a further answer, from when it leaves; null: it promises none, or that has begun';
