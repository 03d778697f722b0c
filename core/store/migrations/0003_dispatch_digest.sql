-- no-transaction
create index concurrently if not exists dispatch_digest
    on dispatch (notifier, digest) where digest is not null;
