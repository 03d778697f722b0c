-- no-transaction
create index concurrently if not exists notice_account
    on notice (account, id)
    where kind in ('blind', 'account_down', 'account_up', 'account_retired');
