-- no-transaction
create index concurrently if not exists dispatch_sent
    on dispatch (notifier, sent_at) where sent_at is not null;
