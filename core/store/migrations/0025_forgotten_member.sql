-- All ids of a member belong together; and what a text is looked through for, a shape, is one row.
alter table forgotten add column member bytea;
comment on column forgotten.member is
    'the digest of all ids that were asked with this one; itself a row where there was a thread';
comment on column forgotten.head is
    'of a shape: the digest of the word with which such ids begin, by which a text is looked through; else empty';
comment on column forgotten.pieces is
    'of a shape: how many words such ids have; lead and tail: what stands around them';
comment on index forgotten_head is 'forgotten.known: shapes of ids that may stand in a text';
