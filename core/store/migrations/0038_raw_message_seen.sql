-- no-transaction
-- expand
create index concurrently if not exists raw_message_seen on raw_message using brin (seen_at);
