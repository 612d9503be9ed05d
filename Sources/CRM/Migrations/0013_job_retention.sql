-- How many days the ended jobs of a flow are kept; null = the default.
alter table flow_retention add column jobs int;
