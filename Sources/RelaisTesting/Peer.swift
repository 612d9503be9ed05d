// SPDX-License-Identifier: Apache-2.0
// Real servers of others, started by tests on loopback; they end with the test run, however that ends.

package import Foundation
internal import Glibc

/// Another's server, running.
package final class Peer: Sendable {
    /// The port it listens on.
    package let port: Int
    /// A folder of its own, gone with it.
    package let folder: URL
    private let shell: Process
    private let lifeline: Pipe

    /// Starts a command that listens on a free port, and waits until it does.
    ///
    /// - Parameter arguments: gets the port and the folder, where it may write what the command needs.
    package init(
        _ command: String, _ arguments: (_ port: Int, _ folder: URL) throws -> [String]
    ) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "relais-peer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        port = try Self.freePort()
        shell = Process()
        lifeline = Pipe()
        shell.executableURL = URL(filePath: "/bin/sh")
        // The shell waits for the end of a pipe that only the test run holds, so that even SIGKILL cleans up. Threads of
        // tests block signals, and what they start inherits that: only SIGKILL is sure to arrive.
        shell.arguments =
            ["-c", #"d=$1; shift; "$@" & p=$!; cat > /dev/null; kill -9 $p; wait $p; rm -rf "$d""#, "peer"]
            + [folder.path, command] + (try arguments(port, folder))
        shell.standardInput = lifeline
        shell.standardOutput = FileHandle.nullDevice
        let log = folder.appending(path: "peer.log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        shell.standardError = try FileHandle(forWritingTo: log)
        try shell.run()
        let port = port
        try await until { Self.answers(port) }
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
    }

    /// Kills the server.
    package func stop() async throws {
        try lifeline.fileHandleForWriting.close()
        try await until { !Self.answers(port) }
    }

    /// What it wrote to standard error.
    package var log: String {
        (try? String(contentsOf: folder.appending(path: "peer.log"), encoding: .utf8)) ?? ""
    }

    /// A port that nobody listens on now.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else { throw CocoaError(.fileReadUnknown) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func answers(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

/// OpenSSH's server, which lets the user of the test run in with a key made for it.
package struct SSHServer: Sendable {
    /// The server.
    package let peer: Peer
    /// The folder that files are put in.
    package let files: URL
    /// The private key, as OpenSSH writes it.
    package let privateKey: String
    /// Fingerprint of the server's key: `SHA256:…`.
    package let fingerprint: String

    /// Starts the server.
    package init() async throws {
        if geteuid() == 0 {
            // Where sshd puts its unprivileged half.
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        peer = try await Peer("/usr/sbin/sshd") { port, folder in
            for name in ["host_key", "user_key"] {
                let path = folder.appending(path: name).path
                try run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path])
            }
            let config = """
                Port \(port)
                ListenAddress 127.0.0.1
                HostKey \(folder.path)/host_key
                PidFile none
                AuthorizedKeysFile \(folder.path)/user_key.pub
                StrictModes no
                UsePAM no
                PasswordAuthentication yes
                PermitRootLogin yes
                MaxStartups 100
                Subsystem sftp internal-sftp
                """
            let path = folder.appending(path: "sshd_config").path
            try Data((config + "\n").utf8).write(to: URL(filePath: path))
            return ["-D", "-e", "-f", path]
        }
        files = peer.folder.appending(path: "files")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        privateKey = try String(contentsOf: peer.folder.appending(path: "user_key"), encoding: .utf8)
        let shown = try run(
            "/usr/bin/ssh-keygen", ["-l", "-f", peer.folder.appending(path: "host_key.pub").path])
        fingerprint = shown.split(separator: " ").first { $0.hasPrefix("SHA256:") }.map(String.init) ?? ""
    }

    /// The address of the folder.
    package var address: String {
        "sftp://\(NSUserName())@127.0.0.1:\(peer.port)\(files.path)/"
    }
}

/// Runs a command to its end.
///
/// - Returns: its standard output.
@discardableResult
package func run(_ command: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: command)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
}
