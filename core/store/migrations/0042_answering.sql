-- expand
-- Agents answer on the board: who wrote a reply, what it promises, who is writing, and the texts that
-- they answer with. A reply that was taken back before it left is 'undone'; its text stays for its
-- writer. Programs that do not know that state leave such a reply alone.
alter table reply
    add column written_by text,
    add column follow_up_at timestamptz;
comment on column reply.written_by is 'who wrote it; null: nobody did, or before it was kept';
comment on column reply.follow_up_at is 'by when it promises the buyer a further answer, from when it leaves; null: it promises none';

create table reply_form (
    key     text primary key check (length(key) <= 64),
    reply   bigint not null references reply (id),
    sent_at timestamptz not null
);
comment on table reply_form is 'which reply a form became: one that comes twice sends nothing twice';
create index reply_form_sent on reply_form (sent_at);
comment on index reply_form_sent is 'forms.purge: what is too old to come again';

create table presence (
    account text not null,
    thread  text not null,
    name    text not null check (length(name) <= 128),
    title   text not null check (length(title) <= 200),
    at      timestamptz not null,
    primary key (account, thread, name)
);
comment on table presence is 'who has the box for an answer open; nothing of what they write';
create index presence_at on presence (at);
comment on index presence_at is 'presence.purge: who is gone';

create table macro (
    name         text primary key check (length(name) between 1 and 64),
    title        text not null check (length(title) <= 200),
    accounts     text[] not null default '{}',
    marketplaces text[] not null default '{}',
    written_by   text not null check (length(written_by) <= 128),
    written_at   timestamptz not null,
    revision     integer not null default 1
);
comment on table macro is 'what agents answer with';
comment on column macro.accounts is 'the accounts that it fits; with marketplaces empty too: all';
create table macro_text (
    macro    text not null references macro (name) on delete cascade,
    language text not null check (length(language) <= 16),
    body     text not null,
    primary key (macro, language)
);
comment on table macro_text is 'a macro in one language, with its gaps: {{order_id}}';
