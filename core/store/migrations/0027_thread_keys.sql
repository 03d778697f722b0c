-- A buyer asks on one account and waits on another: whose threads these are is known by keyed digests
-- of orders, addresses and phones, within a shop or a seller. Those of old threads are made by a loop.
alter table account
    add column shop   text,
    add column seller text,
    add column keyed  boolean not null default false;
comment on column account.shop is 'as the settings say: accounts of one shop have buyers in common';
comment on column account.seller is 'as the settings say: accounts of one seller have buyers in common';
comment on column account.keyed is
    'whether the keys of all its threads are those of its shop and seller as they stand here';

alter table thread add column keys bytea[];
comment on column thread.keys is
    'keyed digests of what its buyer is known by in other threads; null: of nothing, or not made yet';
-- No samples of them are taken: they would outlive whoever is erased.
alter table thread alter column keys set statistics 0;
create index thread_keys on thread using gin (keys) with (fastupdate = off) where keys is not null;
comment on index thread_keys is 'elsewhere.of: threads that have a key in common';

comment on table erasure_key is
    'with it ids of erased members, and what buyers are known by, become digests';
