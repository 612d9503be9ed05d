// SPDX-License-Identifier: Apache-2.0
// How much a source is believed is changed: what accounts, sites and people keep is decided again, and taken back.

import CRM
import Diagnostics
import Hub
import Jobs
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct TrustTests {
    /// Accounts of the CRM, of which the ERP says otherwise and is believed less so far.
    private static func bench(_ rows: String..., claims: [String]) async throws -> Workbench {
        let bench = try await Workbench()
        try await bench.script("update source_system set trust = 10 where code = 'erp'")
        let header = "id,name,siren,siret,tva,street,postcode,city,phone\n"
        let text = header + rows.map { $0 + "\n" }.joined()
        #expect(try await bench.run([try bench.write(text, "comptes.csv")]).ledger.inserted == rows.count)
        for claim in claims {
            try await bench.script(
                """
                insert into field_claim (entity, entity_id, field, source_id, value)
                select c.entity, c.id, c.field, s.id, c.value from source_system s, (values \(claim)) c(entity, id, field, value)
                where s.code = 'erp'
                """)
        }
        return bench
    }

    private static func believe(
        _ code: String, _ trust: Int, batchSize: Int = 100, on bench: Workbench
    ) async throws -> TrustReport {
        try await TrustChanges(pool: bench.pool, batchSize: batchSize).run(code, trust: trust)
    }

    private static func trust(of code: String, on bench: Workbench) async throws -> Int? {
        try await bench.numbers("select trust::bigint from source_system where code = '\(code)'").first
    }

    private static func names(on bench: Workbench) async throws -> [String?] {
        try await bench.texts("select name from party where id in (1, 2, 3) order by id")
    }

    @Test func `the values of a source are kept once it is believed more, and no longer after the undo`()
        async throws
    {
        let bench = try await Self.bench(
            "C1,Atelier,,,,1 rue A,29000,Quimper,", "C2,Garage,,,,2 rue B,35000,Rennes,",
            claims: ["('party', 1, 'name', 'Atelier Durand')", "('site', 2, 'city', 'RENNES CEDEX')"])
        let before = try await bench.texts(
            "select (p.name, p.version, s.city)::text from party p join site s on s.party_id = p.id order by p.id"
        )
        try await bench.script("delete from change_log")
        let report = try await Self.believe("erp", 70, on: bench)
        #expect(report.ledger == RunLedger(updated: 2))
        #expect(try await Self.names(on: bench) == ["Atelier Durand", "Garage"])
        #expect(try await bench.texts("select city from site order by id") == ["Quimper", "RENNES CEDEX"])
        #expect(try await Self.trust(of: "erp", on: bench) == 70)
        // Also who leaves out what the ERP itself has changed hears of it.
        let log = "select entity || entity_id || coalesce(source_id::text, '') from change_log order by seq"
        #expect(try await bench.texts(log) == ["party1", "site2"])
        let run = try #require(
            try await bench.pool.withConnection { try await Runs.show(report.run, on: $0) })
        #expect(run.kind == "trust" && run.state == "succeeded" && run.ledger == report.ledger)
        #expect(run.trust?.before == 10 && run.trust?.after == 70 && run.trust?.source == "erp")
        #expect(try await bench.undo(report.run, isDryRun: true).count("restore") == 2)
        try await bench.undo(report.run)
        #expect(try await Self.trust(of: "erp", on: bench) == 10)
        let after =
            "select (p.name, p.version - (p.id % 2) * 2, s.city)::text from party p join site s on s.party_id = p.id order by p.id"
        #expect(try await bench.texts(after) == before)
        #expect(try await bench.texts(log).count == 4)
    }

    @Test func `an undo is undone in turn, and the source is believed again`() async throws {
        let bench = try await Self.bench(
            "C1,Atelier,,,,,29000,Quimper,", claims: ["('party', 1, 'name', 'Atelier Durand')"])
        let run = try await Self.believe("erp", 70, on: bench).run
        let undo = try #require(try await bench.undo(run).run)
        try await bench.undo(undo)
        #expect(try await Self.trust(of: "erp", on: bench) == 70)
        #expect(try await Self.names(on: bench) == ["Atelier Durand"])
        try await bench.undo(run)
        #expect(try await Self.trust(of: "erp", on: bench) == 10)
        #expect(try await Self.names(on: bench) == ["Atelier"])
    }

    @Test func `a change that changes no value is a run too, and its undo puts the trust back`() async throws
    {
        let bench = try await Self.bench("C1,Atelier,,,,,29000,Quimper,", claims: [])
        let report = try await Self.believe("crm", 61, on: bench)
        #expect(report.ledger == RunLedger(unchanged: 2), "the account and its site")
        try await bench.undo(report.run)
        #expect(try await Self.trust(of: "crm", on: bench) == 60)
        let undone = try await bench.pool.withConnection { try await Runs.show(report.run, on: $0) }
        #expect(undone?.undoneBy != nil)
    }

    @Test func `what a person wrote outranks every system`() async throws {
        let bench = try await Self.bench(
            "C1,Atelier,,,,,29000,Quimper,", claims: ["('party', 1, 'name', 'Atelier Durand')"])
        try await bench.script(
            """
            insert into field_claim (entity, entity_id, field, source_id, value, observed_at)
              select 'party', 1, 'name', id, 'Atelier Durand et fils', now() - interval '1 year'
              from source_system where code = 'person';
            update party set name = 'Atelier Durand et fils' where id = 1
            """)
        #expect(try await Self.believe("erp", 99, on: bench).ledger == RunLedger(unchanged: 1))
        #expect(try await Self.names(on: bench) == ["Atelier Durand et fils"])
        await #expect(throws: SourceError.self) { try await Self.believe("person", 1, on: bench) }
        await #expect(throws: SourceError.self) { try await Self.believe("erp", 100, on: bench) }
        await #expect(throws: PostgreSQLError.self) {
            try await bench.script("update source_system set trust = 100 where code = 'erp'")
        }
    }

    @Test func `people are decided again too`() async throws {
        let bench = try await Self.bench(
            "C1,Atelier,,,,,29000,Quimper,",
            claims: ["('person', 50, 'last_name', 'Le Goff'), ('person', 50, 'first_name', 'Anne')"])
        try await bench.script(
            """
            insert into party (id, kind, name, status) values (50, 'person', 'Anne Legoff', 'other');
            insert into person (party_id, first_name, last_name) values (50, 'Anne', 'Legoff');
            insert into field_claim (entity, entity_id, field, source_id, value)
              select 'person', 50, 'last_name', id, 'Legoff' from source_system where code = 'crm'
            """)
        let report = try await Self.believe("erp", 70, on: bench)
        #expect(try await bench.texts("select name from party where id = 50") == ["Anne Le Goff"])
        try await bench.undo(report.run)
        #expect(try await bench.texts("select name from party where id = 50") == ["Anne Legoff"])
    }

    @Test func `a SIREN that wins and is another account's is not taken, and everything else goes on`()
        async throws
    {
        let bench = try await Self.bench(
            "C1,Atelier,732829320,,,,29000,Quimper,", "C2,Garage,552100554,,,,35000,Rennes,",
            "C3,Quincaillerie,,,,,35000,Rennes,",
            claims: [
                "('party', 1, 'siren', '552100554'), ('party', 1, 'name', 'Atelier Durand')",
                "('party', 3, 'name', 'Quincaillerie Brest')",
            ])
        let report = try await Self.believe("erp", 70, on: bench)
        #expect(report.ledger == RunLedger(updated: 1, skipped: 1))
        #expect(try await Self.names(on: bench) == ["Atelier Durand", "Garage", "Quincaillerie Brest"])
        let sirens = "select siren from org order by party_id"
        #expect(try await bench.texts(sirens) == ["732829320", "552100554", nil])
        let problems = try await bench.texts(
            "select (problem->>'code') || (problem->>'id') || (problem->>'other') from run_problem")
        #expect(problems == ["TRUST-SIREN12"])
        #expect(try await bench.texts("select state from run where id = \(report.run)") == ["partial"])
        try await bench.undo(report.run)
        #expect(try await Self.names(on: bench) == ["Atelier", "Garage", "Quincaillerie"])
    }

    @Test(arguments: [1, 100])
    func `accounts exchange their numbers, whichever is decided first`(batchSize: Int) async throws {
        let bench = try await Self.bench(
            "C1,Atelier,732829320,73282932000074,,,29000,Quimper,",
            "C2,Garage,552100554,55210055400013,,,35000,Rennes,", "C3,Quincaillerie,,,,,35000,Rennes,",
            claims: [
                "('party', 1, 'siren', '552100554'), ('party', 2, 'siren', '732829320')",
                "('site', 1, 'siret', '55210055400013'), ('site', 2, 'siret', '73282932000074')",
                "('party', 3, 'name', 'Quincaillerie Brest')",
            ])
        let sirens = "select siren from org order by party_id"
        let sirets = "select siret from site order by id"
        #expect(try await bench.texts(sirens) == ["732829320", "552100554", nil])
        let before = try await bench.texts(sirets)
        let report = try await Self.believe("erp", 70, batchSize: batchSize, on: bench)
        #expect(report.ledger == RunLedger(updated: 5))
        #expect(try await bench.texts(sirens) == ["552100554", "732829320", nil])
        #expect(try await bench.texts(sirets) == [before[1], before[0], nil])
        #expect(try await bench.numbers("select count(*) from run_problem") == [0])
        try await bench.undo(report.run)
        #expect(try await bench.texts(sirens) == ["732829320", "552100554", nil])
        #expect(try await bench.texts(sirets) == before)
    }

    @Test func `what an import brought since is decided by the old trust after the undo`() async throws {
        let bench = try await Self.bench(
            "C1,Atelier,,,,,29000,Quimper,", "C2,Garage,,,,,35000,Rennes,",
            claims: ["('party', 1, 'name', 'Atelier Durand'), ('party', 2, 'name', 'Garage Durand')"])
        let run = try await Self.believe("erp", 70, on: bench).run
        // It loses now, but would not have without the change.
        _ = try await bench.accounts("C2,Garage du Port,,,,,35000,Rennes,", name: "neuf.csv")
        #expect(try await Self.names(on: bench) == ["Atelier Durand", "Garage Durand"])
        try await bench.undo(run)
        #expect(try await Self.names(on: bench) == ["Atelier", "Garage du Port"])
    }

    @Test func `of two changes of a source, the last is taken back first`() async throws {
        let bench = try await Self.bench(
            "C1,Atelier,,,,,29000,Quimper,", claims: ["('party', 1, 'name', 'Atelier Durand')"])
        let first = try await Self.believe("erp", 70, on: bench).run
        let second = try await Self.believe("erp", 20, on: bench).run
        #expect(try await Self.names(on: bench) == ["Atelier"])
        for isDryRun in [true, false] {
            let error = await #expect(throws: RunError.self) {
                try await bench.undo(first, isDryRun: isDryRun)
            }
            #expect(error?.has(.superseded) == true && error?.diagnostic.facts["source"] == "erp")
        }
        try await bench.undo(second)
        #expect(try await Self.names(on: bench) == ["Atelier Durand"])
        try await bench.undo(first)
        #expect(try await Self.names(on: bench) == ["Atelier"])
        #expect(try await Self.trust(of: "erp", on: bench) == 10)
    }

    @Test func `a change to what already holds is refused, naming the field`() async throws {
        let bench = try await Self.bench("C1,Atelier,,,,,29000,Quimper,", claims: [])
        let error = await #expect(throws: SourceError.self) { try await Self.believe("erp", 10, on: bench) }
        #expect(error?.has(.same) == true && error?.diagnostic.place.field == "trust")
        #expect(try await bench.numbers("select count(*) from run where kind = 'trust'") == [0])
    }

    // MARK: - Stopped and killed

    private static let six = (1...6).map { "C\($0),Client \($0),,,,,29000,Quimper," }

    private static func six() async throws -> Workbench {
        let bench = try await Workbench()
        try await bench.script("update source_system set trust = 10 where code = 'erp'")
        let header = "id,name,siren,siret,tva,street,postcode,city,phone\n"
        let text = header + six.map { $0 + "\n" }.joined()
        _ = try await bench.run([try bench.write(text, "comptes.csv")])
        try await bench.script(
            """
            insert into field_claim (entity, entity_id, field, source_id, value)
              select 'party', p.id, 'name', s.id, 'Société ' || p.id from party p, source_system s
              where s.code = 'erp' and p.name like 'Client %';
            insert into app_user (login, name, role) values ('nina', 'Nina', 'it')
            """)
        return bench
    }

    private static let decided = "select count(*) from party where name like 'Société %'"

    /// A worker of these jobs until so many of them are in the history.
    private static func work(
        _ changes: TrustChanges, on bench: Workbench, until count: Int
    ) async throws {
        var timing = Worker.Timing()
        timing.lease = .seconds(3600)
        timing.beat = .seconds(3600)
        let worker = Worker(
            pool: bench.pool, name: "\(count)", slots: [.interactive: 1], timing: timing,
            handlers: changes.handlers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await RelaisTesting.until {
                try await bench.numbers("select count(*) from job_history").first ?? 0 >= count
            }
            worker.drain()
            try await group.waitForAll()
        }
    }

    @Test func `a run that is stopped goes on as the same run, and one undo takes all of it back`()
        async throws
    {
        let bench = try await Self.six()
        try await bench.script(
            """
            create function ask() returns trigger language plpgsql as $$
            begin
              update run set stop_asked_at = now(), stop_asked_by = (select id from app_user) where id = new.run_id;
              return null;
            end $$;
            create trigger ask after insert on run_batch for each row when (new.no = 2) execute function ask()
            """)
        let changes = TrustChanges(pool: bench.pool, batchSize: 2)
        let id = try await changes.start("erp", trust: 70, by: 1)
        try await Self.work(changes, on: bench, until: 1)
        let run = try #require(try await changes.begun(id))
        #expect(try await bench.texts("select state from run where id = \(run)") == ["stopped"])
        #expect(try await bench.numbers(Self.decided) == [4])
        #expect(try await Self.trust(of: "erp", on: bench) == 70)
        #expect(try await changes.mayResume(run))
        #expect(try await changes.resume(run))
        #expect(try await !changes.resume(run), "pressed twice")
        try await Self.work(changes, on: bench, until: 2)
        let whole = try #require(try await bench.pool.withConnection { try await Runs.show(run, on: $0) })
        #expect(whole.state == "succeeded" && whole.ledger == RunLedger(updated: 6))
        #expect(whole.stoppedBy == nil && whole.trust?.expected == 6)
        let ordinals =
            "select first_ordinal || '-' || last_ordinal from run_batch where run_id = \(run) order by no"
        #expect(try await bench.texts(ordinals) == ["1-2", "3-4", "5-6"])
        #expect(try await bench.numbers("select count(*) from run where kind = 'trust'") == [1])
        #expect(try await !changes.mayResume(run))
        try await bench.undo(run)
        #expect(try await bench.numbers(Self.decided) == [0])
    }

    @Test func `a run that dies within a batch leaves the batches before it, and goes on behind them`()
        async throws
    {
        let bench = try await Self.six()
        // Once, as a connection that breaks.
        try await bench.script(
            """
            create table death ();
            create function die() returns trigger language plpgsql as $$
            begin
              if not exists (select from pg_class where relname = 'death') then return null; end if;
              perform pg_terminate_backend(pg_backend_pid());
              return null;
            end $$;
            create trigger die after insert on run_batch for each row when (new.no = 2) execute function die()
            """)
        let changes = TrustChanges(pool: bench.pool, batchSize: 2)
        await #expect(throws: PostgreSQLError.self) { try await changes.run("erp", trust: 70) }
        #expect(try await bench.numbers(Self.decided) == [2])
        #expect(try await bench.numbers("select updated from run where kind = 'trust'") == [2])
        try await bench.script("drop table death")
        let run = try #require(try await bench.numbers("select id from run where kind = 'trust'").first)
        #expect(try await changes.mayResume(run))
        #expect(try await changes.resume(run))
        try await Self.work(changes, on: bench, until: 1)
        #expect(try await bench.numbers(Self.decided) == [6])
        #expect(try await bench.texts("select state from run where id = \(run)") == ["succeeded"])
        #expect(try await bench.numbers("select updated from run where id = \(run)") == [6])
    }

    @Test func `a stopped run that was taken back or overtaken does not go on`() async throws {
        let bench = try await Self.six()
        let changes = TrustChanges(pool: bench.pool, batchSize: 2)
        try await bench.script(
            """
            create function ask() returns trigger language plpgsql as $$
            begin
              update run set stop_asked_at = now(), stop_asked_by = (select id from app_user) where id = new.run_id;
              return null;
            end $$;
            create trigger ask after insert on run_batch for each row when (new.no = 1) execute function ask()
            """)
        await #expect(throws: RunError.self) { try await changes.run("erp", trust: 70) }
        try await bench.script("drop trigger ask on run_batch")
        let run = try #require(try await bench.numbers("select id from run where kind = 'trust'").first)
        #expect(try await changes.mayResume(run))
        let second = try await changes.run("erp", trust: 80)
        #expect(second.ledger == RunLedger(updated: 4, unchanged: 2), "all is decided, whatever stopped")
        #expect(try await !changes.mayResume(run))
        // The trust of the first is back, and all is decided by it.
        try await bench.undo(second.run)
        #expect(try await bench.numbers(Self.decided) == [6])
        try await bench.undo(run)
        #expect(try await bench.numbers(Self.decided) == [0])
        #expect(try await !changes.mayResume(run))
    }

    @Test func `two changes that are asked for at once are made one behind the other`() async throws {
        let bench = try await Self.six()
        let changes = TrustChanges(pool: bench.pool, batchSize: 2)
        _ = try await changes.start("erp", trust: 70, by: 1)
        _ = try await changes.start("erp", trust: 20, by: 1)
        try await Self.work(changes, on: bench, until: 2)
        #expect(try await Self.trust(of: "erp", on: bench) == 20)
        #expect(try await bench.numbers(Self.decided) == [0])
        let kept = "select before || '-' || after from trust_change order by id"
        #expect(try await bench.texts(kept) == ["10-70", "70-20"])
    }

    // MARK: - Before it is done

    @Test func `what a change would do is told without doing it`() async throws {
        let bench = try await Self.bench(
            "C1,Atelier,,,,,29000,Quimper,", "C2,Garage,,,,,35000,Rennes,", "C3,Fonderie,,,,,35000,Rennes,",
            claims: [
                "('party', 1, 'name', 'Atelier Durand'), ('party', 2, 'name', 'Garage')",
                "('site', 3, 'city', 'RENNES CEDEX')",
            ])
        let before = try await bench.digest()
        let outlook = try await bench.pool.withConnection { connection in
            try await connection.transaction { try await TrustChanges.outlook("erp", trust: 70, on: $0) }
        }
        #expect(outlook.accounts == 3 && outlook.persons == 0 && outlook.looked == 3 && outlook.changed == 2)
        #expect(try await bench.digest() == before)
        #expect(try await Self.believe("erp", 70, on: bench).ledger == RunLedger(updated: 2, unchanged: 1))
    }

    @Test func `a source is added, named and taken away again while nothing came from it`() async throws {
        let bench = try await Workbench()
        try await bench.pool.withConnection { connection in
            try await SourceSystems.add(
                "negoce", name: "  Négoce \n Ouest ", kind: "erp", trust: 45, by: nil, on: connection)
            let source = try await SourceSystems.show("negoce", on: connection)
            #expect(source.title == "Négoce Ouest" && source.trust == 45)
            #expect(
                try await SourceSystems.rename("negoce", to: "Négoce", by: nil, on: connection)
                    == "Négoce Ouest")
            #expect(try await SourceSystems.rename("negoce", to: "", by: nil, on: connection) == "Négoce")
            #expect(try await SourceSystems.show("negoce", on: connection).title == "negoce")
            try await SourceSystems.remove("negoce", by: nil, on: connection)
            #expect(try await SourceSystems.list(on: connection).map(\.code) == ["person", "crm", "erp"])
        }
        let audit = "select action || coalesce(' ' || (facts->>'after'), '') from audit order by id"
        #expect(
            try await bench.texts(audit) == [
                "source.added", "source.renamed Négoce", "source.renamed negoce", "source.removed",
            ])
        _ = try await bench.accounts("C1,Atelier,,,,,29000,Quimper,")
        try await bench.pool.withConnection { connection in
            let used = await #expect(throws: SourceError.self) {
                try await SourceSystems.remove("crm", by: nil, on: connection)
            }
            #expect(used?.has(.used) == true)
        }
    }

    @Test(arguments: [
        ("Négoce", "", "erp", 50, "code"), ("erp", "", "erp", 50, "code"),
        ("neuf", String(repeating: "é", count: 101), "erp", 50, "name"),
        ("neuf", "Person", "erp", 50, "name"),
        ("neuf", "", "person", 50, "kind"), ("neuf", "", "erp", 100, "trust"),
        ("neuf", "", "erp", -1, "trust"),
    ])
    func `a source that cannot be added is refused with the field at fault`(
        code: String, name: String, kind: String, trust: Int, field: String
    ) async throws {
        let bench = try await Workbench()
        try await bench.pool.withConnection { connection in
            let error = await #expect(throws: SourceError.self) {
                try await SourceSystems.add(
                    code, name: name, kind: kind, trust: trust, by: nil, on: connection)
            }
            #expect(error?.diagnostic.place.field == field)
        }
        #expect(try await bench.numbers("select count(*) from source_system") == [3])
    }
}
