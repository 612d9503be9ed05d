// SPDX-License-Identifier: Apache-2.0
// Files over SSH, with OpenSSH's own server, and with machines that are none.

import Diagnostics
import FileTransfer
import Foundation
import RelaisTesting
import Testing

@Suite struct SFTPTests {
    private func access(_ server: SSHServer) -> TransferAccess {
        var access = TransferAccess()
        access.privateKey = server.privateKey
        access.hostKeys = [server.fingerprint]
        return access
    }

    private func open(
        _ server: SSHServer, pattern: String = "", _ change: (inout TransferAccess) -> Void = { _ in }
    ) throws -> any RemoteFolder {
        var access = access(server)
        change(&access)
        return try RemoteFolders.open(try RemoteAddress(server.address), access, pattern: pattern)
    }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test func `files are listed with size and time, whatever their names; what is no file is told`()
        async throws
    {
        let server = try await SSHServer()
        for name in ["factures  d'été (1).csv", "b;c\"\\d%20.csv", ".hidden", "x.part", "old.xml"] {
            try Data("12345".utf8).write(to: server.files.appending(path: name))
        }
        try FileManager.default.createSymbolicLink(
            atPath: server.files.appending(path: "link.csv").path, withDestinationPath: "/etc/passwd")
        try FileManager.default.createDirectory(
            at: server.files.appending(path: "done.csv"), withIntermediateDirectories: true)
        let listing = try await open(server, pattern: "*.csv").list()
        #expect(listing.files.map(\.name) == ["b;c\"\\d%20.csv", "factures  d'été (1).csv"])
        #expect(listing.files.allSatisfy { $0.size == 5 && !$0.stamp.isEmpty })
        #expect(listing.problems.map(\.code) == ["FILE-LINK"])
    }

    @Test func `a file is fetched, stored, moved and deleted under its own name`() async throws {
        let server = try await SSHServer()
        let folder = try open(server)
        try await withFolder { spool in
            let name = "b;c\"\\d%20 é.csv"
            let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try bytes.write(to: server.files.appending(path: name))
            let file = try #require(try await folder.list().files.first)
            try await folder.fetch(file, into: spool.path, as: "got", limit: 1 << 20)
            let got = spool.appending(path: "got")
            #expect(try Data(contentsOf: got) == bytes)
            try await folder.move(file, to: "done")
            try bytes.write(to: server.files.appending(path: name))
            try await folder.move(file, to: "done")
            let done = try FileManager.default.contentsOfDirectory(
                atPath: server.files.appending(path: "done").path)
            #expect(done.count == 2 && done.contains(name))
            // Again: another attempt takes the place of the first.
            for _ in 0..<2 { try await folder.store(got.path, as: "new file.csv") }
            #expect(try Data(contentsOf: server.files.appending(path: "new file.csv")) == bytes)
            let stored = try #require(try await folder.list().files.first)
            try await folder.delete(stored)
            #expect(try await folder.list().files.isEmpty)
        }
    }

    private func code(_ body: () async throws -> Void) async -> Diagnostic? {
        do {
            try await body()
        } catch let error as TransferError {
            return error.diagnostic
        } catch {}
        return nil
    }

    @Test
    func `another host key, a refused login, a missing folder and a closed port each have their own finding`()
        async throws
    {
        let server = try await SSHServer()
        let stranger = await code { _ = try await open(server) { $0.hostKeys = ["SHA256:AAAA"] }.list() }
        #expect(stranger?.code == "TRANSFER-HOST-KEY")
        #expect(stranger?.facts["key"] == server.fingerprint)
        let login = await code {
            _ = try await open(server) { access in
                access.privateKey = ""
                access.password = "wrong-password"
            }.list()
        }
        #expect(login?.code == "TRANSFER-LOGIN")
        #expect(login?.retry == .reauthorize)
        let missing = await code {
            let address = try RemoteAddress(server.address + "none/")
            _ = try await RemoteFolders.open(address, access(server)).list()
        }
        #expect(missing?.code == "TRANSFER-MISSING")
        let port = try Peer.freePort()
        let closed = await code {
            let address = try RemoteAddress("sftp://x@127.0.0.1:\(port)/")
            _ = try await RemoteFolders.open(address, access(server)).list()
        }
        #expect(closed?.code == "TRANSFER-UNREACHABLE")
        #expect(closed?.retry == .after(.seconds(60)))
    }

    @Test func `a file larger than allowed or of another size than listed leaves nothing behind`()
        async throws
    {
        let server = try await SSHServer()
        let folder = try open(server)
        try await withFolder { spool in
            try Data(count: 100_000).write(to: server.files.appending(path: "a.csv"))
            let file = try #require(try await folder.list().files.first)
            let large = await code {
                try await folder.fetch(file, into: spool.path, as: "x", limit: 50_000)
            }
            #expect(large?.code == "TRANSFER-TOO-LARGE")
            try Data(count: 50).write(to: server.files.appending(path: "a.csv"))
            let other = await code {
                try await folder.fetch(file, into: spool.path, as: "x", limit: 1 << 20)
            }
            #expect(other?.code == "TRANSFER-LENGTH")
            // What this machine cannot take says nothing of the file.
            let full = await code {
                try await folder.fetch(file, into: "/dev/null/spool", as: "x", limit: 1 << 20)
            }
            #expect(full?.code == "TRANSFER-SPOOL" && full?.retry != .never)
            #expect(try FileManager.default.contentsOfDirectory(atPath: spool.path) == [])
        }
    }

    /// A server that takes connections and says `greeting`, or nothing.
    private func impostor(_ greeting: String) async throws -> Peer {
        let program = """
            import socket, sys, time
            s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=16)
            held = []
            while True:
                c, _ = s.accept()
                c.sendall(sys.argv[2].encode())
                held.append(c)
            """
        return try await Peer("/usr/bin/python3") { port, _ in ["-c", program, String(port), greeting] }
    }

    @Test func `a machine that says nothing, or answers with a page, is given up`() async throws {
        let server = try await SSHServer()
        var access = access(server)
        access.connecting = .seconds(2)
        access.silence = .seconds(2)
        for (greeting, codes) in [
            ("", ["TRANSFER-SILENT"]),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", ["TRANSFER-SILENT", "TRANSFER-ANSWER"]),
            ("SSH-2.0-x\r\n", ["TRANSFER-SILENT", "TRANSFER-ANSWER"]),
        ] {
            let peer = try await impostor(greeting)
            let finding = await code {
                let address = try RemoteAddress("sftp://x@127.0.0.1:\(peer.port)/")
                _ = try await RemoteFolders.open(address, access).list()
            }
            #expect(codes.contains(finding?.code ?? ""), "\(greeting)")
            #expect(finding?.retry != .never)
        }
    }

    @Test func `cancelling the task ends a transfer that waits`() async throws {
        let peer = try await impostor("")
        let finding = await code {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let address = try RemoteAddress("sftp://x@127.0.0.1:\(peer.port)/")
                    var access = TransferAccess()
                    (access.password, access.connecting) = ("x", .seconds(600))
                    _ = try await RemoteFolders.open(address, access).list()
                }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
        #expect(finding?.code == "TRANSFER-CANCELLED")
    }

    @Test
    func `an address with a password, without a host or of another scheme is refused, and nothing is shown`()
    {
        for text in [
            "sftp://a:geheim@host/x", "sftp:///x", "gopher://host/x", "file:///etc/passwd",
            "ftps://h/a%0D%0ADELE%20b/", "sftp:// x",
        ] {
            let error = #expect(throws: TransferError.self) { _ = try RemoteAddress(text) }
            #expect(error?.diagnostic.code == "TRANSFER-ADDRESS")
            #expect(error?.diagnostic.place.value?.contains("geheim") != true)
        }
    }
}
