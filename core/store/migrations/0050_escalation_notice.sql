-- no-transaction
-- expand
-- What climbs, what was told of it and what ended a trouble is found without reading every notice:
-- by a link that anybody who has it may open again, by an acknowledgement, by each rung that is due.
create index concurrently if not exists escalation_notice on escalation (notice)
