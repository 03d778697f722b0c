-- no-transaction
create index concurrently if not exists dispatch_refused
    on dispatch (notifier, next_try_at) where parked_reason is not null;
