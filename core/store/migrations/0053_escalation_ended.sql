-- no-transaction
-- expand
create index concurrently if not exists escalation_ended on escalation (ended_at) where ended_at is not null
