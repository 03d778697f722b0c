-- no-transaction
create index concurrently if not exists thread_buyer on thread (lower(buyer)) where buyer <> '';
