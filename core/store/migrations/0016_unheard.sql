-- What was accepted waits for a word against it, and a later word finds the reply that it means.
comment on index message_unheard is 'verdicts.hear: what was accepted, and not confirmed by silence yet';
comment on index reply_message is 'replies.judge: the reply of a message';
