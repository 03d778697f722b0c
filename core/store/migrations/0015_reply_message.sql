-- no-transaction
create index concurrently if not exists reply_message
    on reply (account, message_id) where message_id is not null;
