-- Whether a flood begins is asked while it comes: of one account's last weeks, not of all that was ever
-- written.
comment on index message_written is 'floods.written, floods.busiest: what buyers wrote, by time';
