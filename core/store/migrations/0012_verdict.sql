-- What a marketplace says later of a seller's message, and links that only a person follows.
create table verdict (
    account    text not null,
    id         text not null,
    at         timestamptz not null,
    delivery   text not null,
    message_id text,
    buyer      text,
    order_id   text,
    thread     text,
    body       text not null,
    is_copy    boolean not null,
    unclear    boolean not null default false,
    forgotten  boolean not null default false,
    seen_at    timestamptz not null,
    primary key (account, id)
);
comment on table verdict is
    'what became of sellers'' messages, as was told later and elsewhere: judged anew with whatever comes, in any order';
comment on column verdict.id is 'the message that says so';
comment on column verdict.body is
    'all that it says, folded as it is compared: holds a buyer''s words and name, and goes with them (verdicts.forget) and after retention.links (verdicts.fade)';
comment on column verdict.unclear is 'whether it means several or nothing known: a person was told';
comment on column verdict.forgotten is
    'its words are erased: it is judged no more, and what it meant stands in message.delivery';
create index verdict_message on verdict (account, message_id) where message_id is not null;
comment on index verdict_message is 'verdicts.near: of a message that it names';
create index verdict_thread on verdict (account, thread) where thread is not null;
comment on index verdict_thread is 'verdicts.near: of a thread that it names';
create index verdict_order on verdict (account, order_id) where order_id is not null;
comment on index verdict_order is 'verdicts.near: about an order';
create index verdict_buyer on verdict (account, buyer) where buyer is not null;
comment on index verdict_buyer is 'verdicts.near: to a buyer';
create index verdict_nameless on verdict (account, at)
    where coalesce(message_id, thread, order_id, buyer) is null;
comment on index verdict_nameless is 'verdicts.near: what only a name in it can tell';
create index verdict_worded on verdict (seen_at) where not forgotten;
comment on index verdict_worded is 'verdicts.old: whose words are still kept';

create table about (
    account text not null,
    what    text not null,
    thread  text not null,
    primary key (account, what, thread)
);
comment on table about is
    'by which words verdicts find threads: order:, buyer: (the key of reply_to) and name: (folded); only where the marketplace gives verdicts, and erased with the buyer (verdicts.forget)';
create index about_thread on about (account, thread);
comment on index about_thread is 'verdicts.near: what a thread is about';

alter table message add column judged text, add column told_in text, add column silent boolean;
comment on column message.judged is
    'how far it got, as verdicts say: stands in the place of delivery, which stays as it was told';
comment on column message.told_in is
    'the thread in which a copy was told that is an answer given elsewhere: it counts as a message to the buyer in the thread where it belongs';
comment on column message.silent is
    'accepted, and nothing was heard against it for the marketplace''s time: counts as confirmed until it is judged';

create table link (
    account text not null,
    message text not null,
    url     text not null,
    seen_at timestamptz not null,
    primary key (account, message)
);
comment on table link is
    'the marketplace''s own mark "no reply needed", by the message that it is for: a secret, never fetched by us, shown to a person who asks, gone with the buyer''s data and after retention.links';
