-- What a notifier refuses counts as told, so that a flood of it gathers too: parked rows by instant.
comment on index dispatch_refused is 'dispatches.parked, digests.outflow, digests.ripening: what a person must look at, and what was refused lately';
drop index dispatch_parked;
