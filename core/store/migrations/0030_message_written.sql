-- no-transaction
create index concurrently if not exists message_written
    on message (account, sent_at) where party = 'buyer';
