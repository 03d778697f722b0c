-- What is over before it leaves is kept back: the words about an account, by their order.
comment on index notice_account is 'overtaken.keep_back: what was raised about an account as a whole, in order';
