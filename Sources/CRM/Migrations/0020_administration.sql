-- SPDX-License-Identifier: Apache-2.0
-- What IT steers in the console: pauses with an end, and an audit that is searched by who, what and which.

-- when a pause ends by itself; null = when somebody ends it
alter table queue_control add column paused_until timestamptz;
create index queue_control_until on queue_control (paused_until) where paused_until is not null;

drop index audit_user;
drop index audit_entity;
create index audit_user on audit (user_id, at desc, id desc);
create index audit_action on audit (action, at desc, id desc);
create index audit_entity on audit (entity, at desc, id desc);
create index audit_object on audit (entity, entity_id, at desc, id desc);

-- the last run of each source
create index run_source on run (source_id, id);
