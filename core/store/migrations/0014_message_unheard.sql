-- no-transaction
create index concurrently if not exists message_unheard
    on message (account, sent_at)
    where delivery = 'accepted' and silent is null and judged is null
      and kind in ('message', 'automatic');
