-- no-transaction
-- expand
create index concurrently if not exists reply_thread on reply (account, thread);
