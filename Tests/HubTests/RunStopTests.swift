// SPDX-License-Identifier: Apache-2.0
// How far a running import is, and that a person ends it between two batches, whatever process it is in.

import Diagnostics
import FileTransfer
import Foundation
import Hub
import Jobs
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct RunStopTests {
    private static let header = "id,name,siren,siret,tva,street,postcode,city,phone\n"

    private static func rows(_ count: Int) -> [String] {
        (1...count).map { "C\($0),Client \($0),,,,,29000,Quimper,\n" }
    }

    /// A file of accounts, and what its first lines have in bytes.
    private static func write(_ count: Int, on bench: Workbench) throws -> (path: String, ends: [Int]) {
        var end = header.utf8.count
        let ends = rows(count).map { row in
            end += row.utf8.count
            return end
        }
        return (try bench.write(header + rows(count).joined(), "comptes.csv"), ends)
    }

    /// From now on `nina` wants every run to end while its batch of that number is being written.
    private static func stop(inBatch number: Int, on bench: Workbench) async throws {
        try await bench.script(
            """
            insert into app_user (login, name, role) values ('nina', 'Nina', 'it');
            create function ask() returns trigger language plpgsql as $$
            begin
              update run set stop_asked_at = now(), stop_asked_by = (select id from app_user) where id = new.run_id;
              return null;
            end $$;
            create trigger ask after insert on run_batch for each row when (new.no = \(number))
              execute function ask();
            """)
    }

    @Test func `each batch keeps how far it has read the file, in the transaction that writes it`()
        async throws
    {
        let bench = try await Workbench(batchSize: 2)
        let (path, ends) = try Self.write(5, on: bench)
        _ = try await bench.run([path])
        let kept = try await bench.numbers("select read_to from run_batch order by no")
        // A record ends before its line does; the last batch has all of the file.
        #expect(kept == [ends[1] - 1, ends[3] - 1, ends[4]])
    }

    @Test func `a run that a person stops ends behind the batch that is being written, and says so`()
        async throws
    {
        let bench = try await Workbench(batchSize: 2)
        let (path, _) = try Self.write(7, on: bench)
        try await Self.stop(inBatch: 2, on: bench)
        let error = await #expect(throws: RunError.self) { try await bench.run([path], mapping: nil) }
        #expect(error?.has(.stopped) == true && error?.diagnostic.facts["by"] == "Nina")
        let runs = try await bench.pool.withConnection { try await Runs.list(on: $0) }
        let run = try #require(runs.first)
        #expect(run.state == "stopped" && run.stoppedBy == "Nina" && run.finishedAt != nil)
        #expect(run.ledger == RunLedger(inserted: 4))
        #expect(try await bench.numbers("select count(*) from artifact where finished_at is null") == [1])
    }

    @Test func `what a stopped run had left comes with the next one, and what it wrote can be undone`()
        async throws
    {
        let bench = try await Workbench(batchSize: 2)
        let (path, _) = try Self.write(7, on: bench)
        try await Self.stop(inBatch: 2, on: bench)
        _ = try? await bench.run([path], mapping: nil)
        try await bench.script("drop trigger ask on run_batch")
        #expect(try await bench.run([path]).ledger == RunLedger(inserted: 3, unchanged: 4))
        try await bench.undo(1)
        #expect(try await bench.numbers("select count(*) from party") == [3])
    }

    @Test func `a file behind the one that is stopped is not begun`() async throws {
        let bench = try await Workbench()
        let first = try Self.write(2, on: bench).path
        let second = try bench.write(Self.header + "D1,Autre,,,,,,,\n", "autres.csv")
        try await Self.stop(inBatch: 1, on: bench)
        await #expect(throws: RunError.self) { try await bench.run([first, second], mapping: nil) }
        #expect(try await bench.texts("select name from artifact where finished_at is not null").count == 1)
        #expect(try await bench.numbers("select count(*) from artifact") == [1])
    }

    @Test func `a large file is stopped while it is only being checked`() async throws {
        let bench = try await Workbench()
        let long = String(repeating: "x", count: 2000)
        let rows = (1...2500).map { "C\($0),Client \($0),,,,\(long),29000,Quimper,\n" }
        let path = try bench.write(Self.header + rows.joined(), "comptes.csv")
        try await bench.script(
            """
            insert into app_user (login, name, role) values ('nina', 'Nina', 'it');
            create function ask() returns trigger language plpgsql as $$
            begin
              update run set stop_asked_at = now(), stop_asked_by = (select id from app_user) where id = new.run_id;
              return null;
            end $$;
            create trigger ask after insert on artifact for each row execute function ask();
            """)
        await #expect(throws: RunError.self) { try await bench.run([path], mapping: nil) }
        let checked = try await bench.numbers("select checked_to from artifact")
        #expect((4 << 20..<5 << 20).contains(try #require(checked.first)))
        #expect(try await bench.numbers("select count(*) from party") == [0])
        let reading = try await bench.pool.withConnection { try await Runs.reading(of: 1, on: $0) }
        #expect(reading?.current?.checkedTo == checked.first && reading?.finished == 0)
    }

    @Test func `only an import that runs can be asked to stop`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try Self.write(2, on: bench).path])
        try await bench.script("insert into app_user (login, name, role) values ('nina', 'Nina', 'it')")
        try await bench.script(
            "insert into run (kind, source_id) select 'import', id from source_system limit 1")
        try await bench.pool.withConnection { connection in
            #expect(try await !RunStop.ask(1, by: 1, on: connection))
            // Its process is dead: nobody would hear.
            #expect(try await !RunStop.ask(2, by: 1, on: connection))
            #expect(try await Runs.show(2, on: connection)?.state == "failed")
            _ = try await connection.run(
                AdHoc<Int>(
                    "insert into run (kind, source_id) select 'import', min(id) from source_system returning id"
                ))
            _ = try await connection.run(AdHoc<Bool>("select pg_advisory_lock(29301, 3) is null"))
            #expect(try await RunStop.ask(3, by: 1, on: connection))
            #expect(try await Runs.show(3, on: connection)?.stoppedBy == "Nina")
        }
    }

    /// A worker of these jobs until a condition holds.
    private static func work(
        _ imports: FileImports, on bench: Workbench, until condition: () async throws -> Bool
    ) async throws {
        var timing = Worker.Timing()
        timing.lease = .seconds(3600)
        timing.beat = .seconds(3600)
        let worker = Worker(
            pool: bench.pool, name: UUID().uuidString, slots: [.interactive: 1], timing: timing,
            handlers: imports.handlers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await RelaisTesting.until(condition)
            worker.drain()
            try await group.waitForAll()
        }
    }

    @Test func `a job whose run is stopped is over, and its file is gone on with once`() async throws {
        let bench = try await Workbench(batchSize: 2)
        try await Self.stop(inBatch: 1, on: bench)
        let settings = ImportSettings(batchSize: 2, blobs: bench.blobs)
        let imports = FileImports(
            pool: bench.pool, tools: ImportTools(mappings: MappingShelf(own: nil), settings: settings))
        let spool = IncomingFile(in: bench.folder.path, limit: 1 << 20)
        try await spool.append(Array((Self.header + Self.rows(5).joined()).utf8))
        let id = try await imports.keep(try await spool.finish(), name: "comptes.csv", mapping: nil, by: 1)
        try await imports.start(id)
        try await Self.work(imports, on: bench) {
            try await bench.numbers("select count(*) from job_history") == [1]
        }
        #expect(try await bench.texts("select outcome from job_history") == ["done"])
        #expect(try await imports.mayResume(1))
        try await bench.script("drop trigger ask on run_batch")
        let again = try #require(try await imports.resume(1, by: 1))
        #expect(try await imports.resume(1, by: 1) == nil)
        try await Self.work(imports, on: bench) {
            try await bench.numbers("select count(*) from run where state = 'succeeded'") == [1]
        }
        #expect(try await imports.show(again)?.run == 2)
        let runs = try await bench.pool.withConnection { try await Runs.list(on: $0) }
        #expect(runs.first?.ledger == RunLedger(inserted: 3, unchanged: 2))
    }
}
