-- Outside opening hours an account may acknowledge by itself that a message has arrived. Such a letter
-- is queued, sent and found again as any reply is; it says that nobody wrote it, and answers nothing.
alter table reply
    add column automatic boolean not null default false,
    add column subject   text;
comment on column reply.automatic is 'nobody wrote it: an acknowledgement, labelled as automatic';
comment on column reply.subject is 'the subject of an acknowledgement; null: that of the thread';

create index reply_automatic on reply (account, thread) where automatic;
comment on index reply_automatic is 'acknowledgements.waiting, queue.running: whether a thread was acknowledged';
create index reply_automatic_lately on reply (account, queued_at) where automatic;
comment on index reply_automatic_lately is 'acknowledgements.lately: how many, and whose threads';
