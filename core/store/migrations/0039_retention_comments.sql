-- expand
-- Texts go by thread, what marketplaces sent by when it was seen.
comment on index reply_thread is 'keeping.chunk, keeping.empty, erased.empty: the replies of threads';
comment on index raw_message_seen is 'keeping.purge_raw: what was seen before the youngest cutoff';
