-- The planner keeps samples of columns, whole values among them: of what people write, and of their
-- names, it takes none from now on. To give a column the type that it has forgets those that there are.
alter table deed
    alter column reason type text, alter column reason set statistics 0;
alter table dispatch
    alter column error type text, alter column error set statistics 0,
    alter column parked_reason type text, alter column parked_reason set statistics 0;
alter table erasure_member
    alter column ids type text[], alter column ids set statistics 0;
alter table given
    alter column sentence type text, alter column sentence set statistics 0;
alter table link
    alter column url type text, alter column url set statistics 0;
alter table market_order
    alter column facts type jsonb, alter column facts set statistics 0;
alter table message
    alter column subject type text, alter column subject set statistics 0,
    alter column body type text, alter column body set statistics 0,
    alter column attachments type jsonb, alter column attachments set statistics 0;
alter table notice
    alter column facts type jsonb, alter column facts set statistics 0;
alter table raw_message
    alter column body type bytea, alter column body set statistics 0;
alter table reply
    alter column body type text, alter column body set statistics 0,
    alter column reason type text, alter column reason set statistics 0;
alter table reply_file
    alter column name type text, alter column name set statistics 0,
    alter column url type text, alter column url set statistics 0,
    alter column content type bytea, alter column content set statistics 0;
alter table set_aside
    alter column reason type text, alter column reason set statistics 0,
    alter column raw type bytea, alter column raw set statistics 0;
alter table stream
    alter column cursor type text, alter column cursor set statistics 0,
    alter column error type text, alter column error set statistics 0;
alter table thread
    alter column subject type text, alter column subject set statistics 0,
    alter column url type text, alter column url set statistics 0,
    alter column buyer type text, alter column buyer set statistics 0,
    alter column reply_to type jsonb, alter column reply_to set statistics 0;
alter table verdict
    alter column body type text, alter column body set statistics 0;
