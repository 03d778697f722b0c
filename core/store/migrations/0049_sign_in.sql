-- expand
-- A browser has an address of IPv4 and one of IPv6, and goes from one to the other as it likes: each is
-- remembered, and compared with its like. Whom a provider of OpenID signs in is bound to its subject by
-- a link, not by what they call themselves there; whom a proxy has signed in can get in.
alter table session add column other_address text, add column other_network text;
comment on column session.other_address is 'from where else they came first, by IPv6 where address is of IPv4, or the other way round; null: from nowhere yet';
comment on column session.other_network is 'the network of other_address, as network is of address';
alter table invitation add column binds boolean not null default false;
comment on column invitation.binds is 'whether it signs nobody in, but binds its person to whom the OpenID provider then says it is';
alter table person add column proxied_at timestamptz;
comment on column person.proxied_at is 'when a trusted proxy named them last, to the day; null: never';
