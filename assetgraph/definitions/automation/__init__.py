"""When assets run: jobs, schedules, sensors and conditions, as definitions: nothing runs them."""
