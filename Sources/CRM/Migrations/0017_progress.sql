-- SPDX-License-Identifier: Apache-2.0
-- How far a file has been read, and a person's wish that a run ends behind the batch it writes.

-- bytes of the first pass, which looks whether the file is whole
alter table artifact add column checked_to bigint not null default 0;

-- bytes of the file up to the batch's last record; null where records come only once all of it is read
alter table run_batch add column read_to bigint;

alter table run drop constraint run_state_check;
alter table run
  add constraint run_state_check
    check (state in ('running', 'succeeded', 'partial', 'failed', 'stopped')),
  add column stop_asked_at timestamptz,
  add column stop_asked_by bigint references app_user;
create index run_stop_asked_by on run (stop_asked_by) where stop_asked_by is not null;
