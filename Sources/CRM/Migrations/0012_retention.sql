-- SPDX-License-Identifier: Apache-2.0
-- How long things are kept: bytes of files and what was there before a run go, hashes and counts stay.

-- the bytes are no longer kept; hash and size are
alter table blob add column dropped_at timestamptz;

-- what a run replaced is no longer kept: it cannot be undone any more
alter table run add column forgotten_at timestamptz;

create index run_kept on run (finished_at) where forgotten_at is null and finished_at is not null;

-- days, with the current version of a flow that has its own
create table flow_retention (
  flow_id int primary key references flow on delete cascade,
  files int,
  images int
);

-- Deletes what ended before a day: whole months at once where they have a partition of their own.
create function drop_job_history(before timestamptz) returns bigint language plpgsql as $$
declare
  part record;
  gone bigint := 0;
  rows bigint;
begin
  for part in
    select c.oid::regclass as name, to_date(right(c.relname, 7), 'YYYY_MM') as month
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'job_history'::regclass and c.relname ~ '^job_history_\d{4}_\d{2}$'
  loop
    if part.month + interval '1 month' <= before then
      begin
        -- a backup holds the table for as long as it takes, and everybody who ends a job would wait behind us
        perform set_config('lock_timeout', '2s', true);
        execute format('select count(*) from %s', part.name) into rows;
        execute format('drop table %s', part.name);
        gone := gone + rows;
      exception when lock_not_available then
        return gone;
      end;
    end if;
  end loop;
  delete from job_history where ended_at < before;
  get diagnostics rows = row_count;
  return gone + rows;
end
$$;
