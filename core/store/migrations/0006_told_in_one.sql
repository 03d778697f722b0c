-- A step is found, moved on and told by one statement.
comment on index clock_alertable is 'steps.tell, steps.next_alert: whose next step has passed';
