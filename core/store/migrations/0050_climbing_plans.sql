-- expand
-- What climbs, what was told of it and what ended a trouble is found without reading every notice:
-- by a link that anybody who has it may open again, by an acknowledgement, by each rung that is due.
create index escalation_notice on escalation (notice);
comment on index escalation_notice is 'linking.about, escalations.acknowledge: what climbs of a notice';
create index escalation_of_clock on escalation (clock) where clock is not null;
comment on index escalation_of_clock is 'moving.follow: all that climbs, or has climbed, for a clock';
create index escalation_ended on escalation (ended_at) where ended_at is not null;
comment on index escalation_ended is 'escalations.purge: what ended long ago';
create index notice_rung on notice (((facts ->> 'escalation')::bigint)) where kind = 'escalation';
comment on index notice_rung is 'escalations.acknowledge: the rungs that were told of what climbs';
create index notice_end on notice (account, id)
    where kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed');
comment on index notice_end is 'rungs.over, escalations.begin, overtaken.keep_back: what ended the troubles of an account';
create index notice_trouble_rung on notice (account, id) where kind = 'escalation' and clock is null;
comment on index notice_trouble_rung is 'overtaken.tell_the_end: who was told of a trouble of an account by a rung';
