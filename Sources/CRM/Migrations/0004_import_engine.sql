-- SPDX-License-Identifier: Apache-2.0
-- The import engine: replays, undo, match decisions, our own company, and the rest of what an ERP sends.

-- Our own company: the issuer of documents that name none.
create table company (
  only_one boolean primary key default true check (only_one),
  party_id bigint not null references party
);

alter table run
  drop constraint run_kind_check,
  drop constraint run_ledger,
  add column deleted bigint not null default 0,
  -- the run that an undo takes back, and the undo that took this one back
  add column undoes bigint references run,
  add column undone_by bigint references run;

alter table run
  add constraint run_kind_check check (kind in ('import', 'replay', 'undo')),
  add constraint run_ledger
    check (read = inserted + updated + deleted + unchanged + quarantined + skipped);

-- of two files kept as one blob, the size of the first; and the system whose records the file holds
alter table artifact
  add column first_size bigint,
  add column source_id int references source_system;

-- an undo writes down what it makes again; `restores` is the version whose content a row has got back
alter table run_change drop constraint run_change_op_check;
alter table run_change
  add constraint run_change_op_check check (op in ('insert', 'update', 'delete')),
  add column restores int;
create index run_change_entity on run_change (entity, entity_id, version_after);

-- what an undo left as it is, and why
create table undo_exception (
  run_id bigint not null references run,
  entity text not null,
  entity_id bigint not null,
  outcome text not null check (outcome in ('kept', 'blocked')),
  reason text not null,
  facts jsonb not null default '{}',
  primary key (run_id, entity, entity_id)
);

-- A description of a party that no rule could give an account; a person decides once, for all records that have it.
create table match_case (
  id bigint generated always as identity primary key,
  source_id int not null references source_system,
  fingerprint bytea not null,
  reference jsonb not null,
  reason text not null,
  candidates jsonb not null default '[]',
  party_id bigint references party on delete set null,
  site_id bigint references site on delete set null,
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  unique (source_id, fingerprint)
);

create index match_case_open on match_case (id) where decided_at is null;

create table match_never (
  case_id bigint not null references match_case on delete cascade,
  party_id bigint not null references party on delete cascade,
  primary key (case_id, party_id)
);

alter table quarantine
  add column overrides jsonb not null default '{}',
  add column why text,
  add column match_case_id bigint references match_case,
  add column closed_at timestamptz;

create index quarantine_match_case on quarantine (match_case_id) where status in ('open', 'fixed');

-- Claims that a run changed, as they were before.
create table claim_change (
  run_id bigint not null,
  entity text not null,
  entity_id bigint not null,
  field text not null,
  source_id int not null,
  -- null = there was none, or is none any more
  before jsonb,
  after jsonb,
  primary key (run_id, entity, entity_id, field, source_id)
);

-- The version whose content a row has: an undo counts versions on, but brings back an older one's content.
create function content_version(entity text, id bigint, version int) returns int
language sql stable
return coalesce(
  (
    select c.restores from run_change c
    where c.entity = content_version.entity and c.entity_id = content_version.id
      and c.version_after = content_version.version and c.restores is not null
    limit 1
  ),
  content_version.version
);

alter table relation add column version int not null default 1;

create index field_claim_run on field_claim (run_id);
create index party_created_run on party (created_run);
create index site_created_run on site (created_run);
create index contact_point_created_run on contact_point (created_run);
create index external_identity_created_run on external_identity (created_run);
create index relation_created_run on relation (created_run);

-- Commercial documents: contracts join invoices, and both point at one another.
alter table sales_doc
  alter column issued_on drop not null,
  alter column gross_total drop not null,
  alter column currency drop not null,
  alter column origin set default 'erp',
  add column label text,
  add column process text,
  add column status text,
  add column signed_on date,
  add column starts_on date,
  add column ends_on date,
  add column closed_on date,
  add column next_billing_on date,
  add column notice_days int,
  add column renewal text,
  add column period text,
  add column allowance_total numeric,
  add column charge_total numeric,
  -- what the ERP says of the payment, and what follows from payments, statuses and the ledger
  add column given_status text,
  add column billing_status text
    check (billing_status in ('open', 'partly_paid', 'paid', 'overdue', 'disputed', 'cancelled')),
  add column open_amount numeric,
  add column contract_id bigint references sales_doc,
  -- made because an invoice named it, before the contract itself came
  add column is_stub boolean not null default false,
  -- the version whose content the hash tells: an edit counts the version on, and the hash tells nothing any more
  add column hash_version int not null default 1;

-- The issuer first: this index serves the foreign key too, and deleting a party looks its references up by it.
alter table sales_doc
  drop constraint sales_doc_key,
  add constraint sales_doc_key unique (issuer_id, source_id, kind, number, year);

create index sales_doc_bill_site on sales_doc (bill_site_id) where bill_site_id is not null;
create index party_merged_into on party (merged_into) where merged_into is not null;
create index org_parent on org (parent_id) where parent_id is not null;
create index match_case_party on match_case (party_id) where party_id is not null;
create index match_case_site on match_case (site_id) where site_id is not null;
create index match_never_party on match_never (party_id);
create index sales_doc_created_run on sales_doc (created_run);
create index sales_doc_parent on sales_doc (parent_id) where parent_id is not null;
create index sales_doc_contract on sales_doc (contract_id) where contract_id is not null;
create index sales_doc_number on sales_doc (number collate "C", kind);
create index sales_doc_contract_ref on sales_doc (contract_ref collate "C") where contract_ref is not null;
create index sales_doc_preceding on sales_doc (preceding_invoice collate "C") where preceding_invoice is not null;

alter table sales_doc_line
  add column ext_id text,
  add column product_ref text,
  add column parent text,
  add column category text,
  add column rate numeric,
  add column starts_on date,
  add column ends_on date,
  add column closed_on date;

create table instalment (
  doc_id bigint not null references sales_doc on delete cascade,
  no int not null,
  due_on date,
  amount numeric not null,
  open_amount numeric not null,
  primary key (doc_id, no)
);

create index instalment_due on instalment (due_on) where open_amount <> 0;

create table payment (
  id bigint generated by default as identity primary key,
  source_id int not null references source_system,
  ext_key text not null,
  number text not null,
  party_id bigint references party,
  paid_on date,
  amount numeric not null,
  currency text,
  method text,
  label text,
  content_hash bytea not null,
  hash_version int not null default 1,
  artifact_id bigint references artifact,
  ordinal bigint,
  line bigint,
  version int not null default 1,
  created_run bigint,
  unique (source_id, ext_key)
);

create index payment_party on payment (party_id, paid_on desc);
create index payment_created_run on payment (created_run);

create table allocation (
  payment_id bigint not null references payment on delete cascade,
  no int not null,
  -- number of the document as the payment names it
  invoice text,
  amount numeric,
  primary key (payment_id, no)
);

create index allocation_invoice on allocation (invoice collate "C");

create table einvoice_event (
  id bigint generated by default as identity primary key,
  source_id int not null references source_system,
  ext_key text not null,
  invoice text not null,
  status_code text not null,
  status text,
  occurred_at timestamptz,
  invoice_date date,
  type_code text,
  issuer_siren text,
  sender_siren text,
  sender_role text,
  recipient_siren text,
  amount numeric,
  content_hash bytea not null,
  hash_version int not null default 1,
  artifact_id bigint references artifact,
  ordinal bigint,
  line bigint,
  version int not null default 1,
  created_run bigint,
  unique (source_id, ext_key)
);

create index einvoice_event_invoice on einvoice_event (invoice collate "C");
create index einvoice_event_created_run on einvoice_event (created_run);

create table einvoice_reason (
  event_id bigint not null references einvoice_event on delete cascade,
  no int not null,
  code text,
  text text,
  primary key (event_id, no)
);

create table ledger_entry (
  id bigint generated by default as identity primary key,
  source_id int not null references source_system,
  ext_key text not null,
  party_id bigint references party,
  company_siren text,
  journal text not null,
  journal_name text,
  entry_no text,
  date date not null,
  account text not null,
  account_name text,
  party_code text,
  party_name text,
  doc_ref text,
  doc_date date,
  due_on date,
  label text,
  debit numeric,
  credit numeric,
  letter text,
  lettered_on date,
  validated_on date,
  foreign_amount numeric,
  foreign_currency text,
  payment_method text,
  content_hash bytea not null,
  hash_version int not null default 1,
  artifact_id bigint references artifact,
  ordinal bigint,
  line bigint,
  version int not null default 1,
  created_run bigint,
  unique (source_id, ext_key)
);

create index ledger_entry_party on ledger_entry (party_id, date desc);
create index ledger_entry_doc on ledger_entry (doc_ref collate "C");
create index ledger_entry_created_run on ledger_entry (created_run);

create table bank_statement (
  id bigint generated by default as identity primary key,
  source_id int not null references source_system,
  ext_key text not null,
  number text not null,
  iban text,
  bank_account text,
  currency text,
  opened_on date,
  opening_balance numeric,
  closed_on date,
  closing_balance numeric,
  content_hash bytea not null,
  hash_version int not null default 1,
  artifact_id bigint references artifact,
  ordinal bigint,
  line bigint,
  version int not null default 1,
  created_run bigint,
  unique (source_id, ext_key)
);

create index bank_statement_created_run on bank_statement (created_run);

create table bank_entry (
  statement_id bigint not null references bank_statement on delete cascade,
  no int not null,
  ref text,
  booked_on date,
  value_on date,
  amount numeric,
  currency text,
  code text,
  label text,
  end_to_end_id text,
  counterparty text,
  counterparty_iban text,
  remittance text,
  primary key (statement_id, no)
);

create table bank_detail (
  statement_id bigint not null references bank_statement on delete cascade,
  no int not null,
  entry_no int,
  qualifier text,
  text text,
  amount numeric,
  counterparty text,
  end_to_end_id text,
  primary key (statement_id, no)
);

-- Blobs larger than 256 KiB are files of the data folder; none = in blob_chunk.
alter table blob add column store text not null default 'database' check (store in ('database', 'files'));

-- The reader of the change log that turns it into notifications.
create table log_cursor (
  name text primary key,
  xid xid8 not null,
  seq bigint not null
);
