-- SPDX-License-Identifier: Apache-2.0
-- Sources that people add, name and believe more or less, and the runs that decide the kept values again.

-- what people call it; null = its code
alter table source_system add column name text
  check (name = btrim(name) and length(name) between 1 and 100 and name <> 'person');

-- a person outranks every system, and no system can be made to
update source_system set trust = case kind when 'person' then 100 else least(trust, 99) end;
alter table source_system add constraint source_system_person check ((kind = 'person') = (trust = 100));

alter table run drop constraint run_kind_check;
alter table run
  add constraint run_kind_check check (kind in ('import', 'replay', 'undo', 'export', 'edit', 'trust'));

-- batches of runs that read no file
alter table run_batch alter column artifact_id drop not null;

-- checked at the end of a statement: two rows may exchange their numbers in one
alter table org drop constraint org_siren_key, add constraint org_siren_key unique (siren) deferrable;
alter table site drop constraint site_siret_key, add constraint site_siret_key unique (siret) deferrable;

-- a wish that a source be believed otherwise, and the run that does it or takes it back
create table trust_change (
  id bigint generated always as identity primary key,
  source_id int not null references source_system,
  -- null until its run begins
  before int check (before between 0 and 99),
  after int not null check (after between 0 and 99),
  user_id bigint references app_user,
  asked_at timestamptz not null default now(),
  run_id bigint unique references run,
  -- the last row that was decided again, and how many there were when the run began
  entity text,
  entity_id bigint,
  expected bigint not null default 0,
  check ((before is null) = (run_id is null))
);

create index trust_change_source on trust_change (source_id, run_id);
