-- expand
comment on index escalation_notice is 'linking.about, escalations.acknowledge: what climbs of a notice';
comment on index escalation_of_clock is 'moving.follow: all that climbs, or has climbed, for a clock';
comment on index escalation_ended is 'escalations.purge: what ended long ago';
comment on index notice_rung is 'escalations.acknowledge: the rungs that were told of what climbs';
comment on index notice_end is 'rungs.over, escalations.begin, overtaken.keep_back: what ended the troubles of an account';
comment on index notice_trouble_rung is 'overtaken.tell_the_end: who was told of a trouble of an account by a rung';
comment on index thread_sought is 'finding.search: threads by their orders, and by the beginnings of their buyer''s names';
alter index thread_sought alter column 1 set statistics 0;
alter index thread_sought alter column 2 set statistics 0;
comment on index clock_ended is 'finding.answered: the threads of which a clock ended last';
comment on index reply_written is 'finding.answered: what somebody wrote';
