-- no-transaction
-- expand
create index concurrently if not exists notice_end on notice (account, id)
    where kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed')
