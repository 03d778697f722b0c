-- no-transaction
-- expand
create index concurrently if not exists escalation_of_clock on escalation (clock) where clock is not null
