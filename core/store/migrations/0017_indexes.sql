-- What was accepted waits for a word against it, and a later word finds the reply that it means.
comment on index message_unheard is
    'verdicts.hear: what was accepted, and neither confirmed by silence yet nor judged';
comment on index reply_message is 'replies.judge: the reply of a message';
comment on index message_left is
    'verdicts.near: what left at about the time of a word that tells a name alone';
