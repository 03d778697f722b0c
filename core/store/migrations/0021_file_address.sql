-- Files of a reply that lie elsewhere already: named by their public address, without bytes.
alter table reply_file add column url text;
comment on column reply_file.url is 'public address in place of content; null: the bytes are here';
