-- no-transaction
create index concurrently if not exists message_left
    on message (account, (case when sent_at between '2000-01-01 00:00:00+00' and seen_at then sent_at
                               else seen_at end))
    where coalesce(party_corrected, party) = 'seller';
