// SPDX-License-Identifier: Apache-2.0
// Files over FTP with TLS (ProFTPD), WebDAV and HTTPS (nginx): the same things with each, and what goes wrong.

import Diagnostics
import FileTransfer
import Foundation
import RelaisTesting
import Testing

@Suite struct WebAndFTPTests {
    private func access(_ server: FileServer) -> TransferAccess {
        var access = TransferAccess()
        access.user = "relais"
        access.password = FileServer.password
        access.authorities = server.certificate
        return access
    }

    private func open(
        _ server: FileServer, _ scheme: String, _ path: String = "/files/",
        _ change: (inout TransferAccess) -> Void = { _ in }
    ) throws -> any RemoteFolder {
        var access = access(server)
        change(&access)
        let address = try RemoteAddress("\(scheme)://relais@127.0.0.1:\(server.peer.port)\(path)")
        return try RemoteFolders.open(address, access)
    }

    private func server(_ scheme: String) async throws -> FileServer {
        switch scheme {
        case "ftps": try await .ftp(isImplicit: true)
        case "ftpes": try await .ftp(isImplicit: false)
        default: try await .web()
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

    @Test(arguments: ["ftps", "ftpes", "davs"])
    func `a folder is listed, and its files are fetched, moved, stored and deleted`(_ scheme: String)
        async throws
    {
        let server = try await server(scheme)
        let folder = try open(server, scheme)
        let spool = server.peer.folder.appending(path: "spool")
        let name = "factures  d'été (1)%20&.csv"
        let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let file = server.files.appending(path: name)
        try bytes.write(to: file)
        try FileManager.default.createDirectory(
            at: server.files.appending(path: "folder.csv"), withIntermediateDirectories: true)
        let listing = try await folder.list()
        #expect(listing.files.map(\.name) == [name] && listing.problems == [])
        let listed = try #require(listing.files.first)
        #expect(listed.size == bytes.count && !listed.stamp.isEmpty)
        try await folder.fetch(listed, into: spool.path, as: "got", limit: 1 << 20)
        let got = spool.appending(path: "got")
        #expect(try Data(contentsOf: got) == bytes)
        try await folder.move(listed, to: "done")
        #expect(try await folder.list().files == [])
        // The file of the next day has the same name.
        try bytes.write(to: file)
        try await folder.move(listed, to: "done")
        for _ in 0..<2 { try await folder.store(got.path, as: "new file é.csv") }
        let stored = server.files.appending(path: "new file é.csv")
        let there = try Data(contentsOf: stored)
        #expect(there == bytes, "\(there.count) \(bytes.count)")
        let again = try #require(try await folder.list().files.first)
        try await folder.delete(again)
        #expect(!FileManager.default.fileExists(atPath: stored.path))
        let done = try FileManager.default.contentsOfDirectory(
            atPath: server.files.appending(path: "done").path)
        #expect(done.count == 2 && done.contains(name))
    }

    @Test(arguments: ["ftps", "ftpes", "davs"])
    func `an unknown certificate, a wrong password and a missing folder each have their own finding`(
        _ scheme: String
    ) async throws {
        let server = try await server(scheme)
        let stranger = await code { _ = try await open(server, scheme) { $0.authorities = "" }.list() }
        #expect(stranger?.code == "TRANSFER-CERTIFICATE")
        let login = await code { _ = try await open(server, scheme) { $0.password = "other" }.list() }
        #expect(login?.code == "TRANSFER-LOGIN")
        let missing = await code { _ = try await open(server, scheme, "/files/none/").list() }
        #expect(["TRANSFER-MISSING", "TRANSFER-FORBIDDEN"].contains(missing?.code), "\(missing?.code ?? "")")
    }

    @Test func `a web file is known by its ETag; a page, a redirect to another scheme and an error are told`()
        async throws
    {
        let server = try await FileServer.web()
        try Data("a;b\n1;2\n".utf8).write(to: server.files.appending(path: "x.csv"))
        let file = try open(server, "https", "/files/x.csv?day=1")
        let first = try #require(try await file.list().files.first)
        #expect(first.name == "x.csv" && !first.stamp.isEmpty)
        #expect(try await file.list().files == [first])
        let spool = server.peer.folder.appending(path: "spool").path
        try await file.fetch(first, into: spool, as: "x", limit: 100)
        try Data("a;b\n1;3;4\n".utf8).write(to: server.files.appending(path: "x.csv"))
        #expect(try await file.list().files != [first])
        for (path, expected) in [
            ("/login/x.csv", "TRANSFER-PAGE"), ("/away/x.csv", "TRANSFER-ADDRESS"),
            ("/broken/x.csv", "TRANSFER-ANSWER"), ("/files/none.csv", "TRANSFER-MISSING"),
        ] {
            let finding = await code {
                try await open(server, "https", path).fetch(first, into: spool, as: "y", limit: 100)
            }
            #expect(finding?.code == expected, "\(path)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool) == ["x"])
        // A redirect that is not followed has stored nothing.
        let moved = await code { try await open(server, "https", "/away/x.csv").store(spool + "/x", as: "x") }
        #expect(moved?.code == "TRANSFER-ANSWER")
    }

    /// A web server that sends `head` and `body`, waits, and goes on or hangs up.
    private func impostor(_ head: String, _ body: String, pause: Double) async throws -> Peer {
        let program = """
            import socket, sys, time
            s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=16)
            while True:
                c, _ = s.accept()
                try:
                    c.settimeout(5)
                    if not c.recv(65536): continue
                    c.sendall((sys.argv[2] + sys.argv[3]).encode())
                    time.sleep(float(sys.argv[4]))
                    c.close()
                except OSError:
                    pass
            """
        return try await Peer("/usr/bin/python3") { port, _ in
            ["-c", program, String(port), head, body, String(pause)]
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", 0.0, "TRANSFER-CUT"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", 20.0, "TRANSFER-SILENT"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n", 0.0, "TRANSFER-CUT"),
        ("SSH-2.0-OpenSSH\r\n", 0.0, "TRANSFER-ANSWER"),
    ])
    func `a machine that cuts, falls silent, lies about the length or is another one leaves no half file`(
        _ head: String, _ pause: Double, _ expected: String
    ) async throws {
        let peer = try await impostor(head, "a;b\n1;2\n", pause: pause)
        var access = TransferAccess()
        access.silence = .seconds(2)
        let address = try RemoteAddress("http://127.0.0.1:\(peer.port)/x.csv")
        let file = RemoteFile(name: "x.csv", size: nil, stamp: "")
        let spool = peer.folder.appending(path: "spool").path
        let finding = await code {
            try await RemoteFolders.open(address, access).fetch(file, into: spool, as: "x", limit: 1 << 30)
        }
        #expect(finding?.code == expected)
        #expect(finding?.retry != .never)
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool) == [])
    }
}
