-- Floods leave as digests: what gathers, what of a digest has left, and what was told lately.
comment on index dispatch_gathering is 'digests.ripening, digests.gather: what leaves together, and when';
comment on index dispatch_digest is 'digests.ripening: whether something of a digest has left';
comment on index dispatch_sent is 'digests.outflow: what was told lately';
