-- expand
-- In which language a thread is, as a person says: what the marketplace or a machine says of its
-- messages stays beside it, and is read anew as often as it likes.
alter table thread add column language_set text, add column language_set_by text, add column language_set_at timestamptz;
comment on column thread.language_set is 'in which language it is, as a person says, whatever its messages say; null: nobody does';
comment on column thread.language_set_by is 'who said so, or took it back, last';
comment on column thread.language_set_at is 'when they did';
