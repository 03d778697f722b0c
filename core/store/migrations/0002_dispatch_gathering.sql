-- no-transaction
create index concurrently if not exists dispatch_gathering
    on dispatch (notifier, digest, next_try_at)
    where digest is not null and sent_at is null and parked_reason is null and suppressed is null;
