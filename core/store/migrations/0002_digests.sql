-- Floods leave as digests: what gathers, what of a digest has left, and what was told lately.
create index dispatch_gathering on dispatch (notifier, digest, next_try_at)
    where digest is not null and sent_at is null and parked_reason is null and suppressed is null;
comment on index dispatch_gathering is 'digests.ripening, digests.gather: what leaves together, and when';
create index dispatch_digest on dispatch (notifier, digest) where digest is not null;
comment on index dispatch_digest is 'digests.ripening: whether something of a digest has left';
create index dispatch_sent on dispatch (notifier, sent_at) where sent_at is not null;
comment on index dispatch_sent is 'digests.outflow: what was told lately';
