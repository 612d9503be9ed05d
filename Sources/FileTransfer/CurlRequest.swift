// SPDX-License-Identifier: Apache-2.0
// What is asked of another machine, and what it answered, in Swift's values.

/// How a machine is reached and known, and how we are known to it.
package struct TransferAccess: Sendable {
    /// The name we go by; empty when there is none.
    package var user = ""
    /// The password, when there is one.
    package var password = ""
    /// An SSH private key as OpenSSH writes it, when there is one.
    package var privateKey = ""
    /// SSH keys that the machine may show: SHA-256 in base64, `SHA256:` before it or not.
    package var hostKeys: [String] = []
    /// PEM file of the authorities that may vouch for the machine; the system's when empty.
    package var authorities = ""
    /// How long to wait for a connection.
    package var connecting = Duration.seconds(20)
    /// How long a machine may say nothing.
    package var silence = Duration.seconds(60)

    /// Nobody's access.
    package init() {}
}

/// One transfer.
struct CurlRequest {
    /// Where the bytes of an answer go.
    enum Sink {
        /// Into memory, at most so many.
        case memory(limit: Int)
        /// Into a new file with a name of its own in a folder, at most so many.
        case file(folder: String, name: String, limit: Int)
    }

    var url: String
    /// What the address may begin with, for libcurl: `sftp`.
    var scheme: String
    /// A method that is not the protocol's usual one.
    var method: String?
    var headers: [String] = []
    /// SSH or FTP commands, before anything else.
    var commands: [String] = []
    /// SSH or FTP commands after an upload.
    var commandsAfter: [String] = []
    /// No answer's body is wanted.
    var isBodyless = false
    /// A file to send.
    var upload: String?
    /// Bytes to send.
    var body: [UInt8]?
    /// On a connection of its own, which it may leave in any state.
    var isAlone = false
    /// TLS from the first command on (FTP).
    var needsTLS = false
    /// Signs requests as Amazon does: `aws:amz:REGION:s3`.
    var signature: String?
    var sink = Sink.memory(limit: 16 << 20)
}

/// What was answered.
struct CurlAnswer {
    /// The protocol's own code; 0 where it has none.
    var status = 0
    /// Headers by their names in lower case.
    var headers: [String: String] = [:]
    /// What was written into memory.
    var bytes: [UInt8] = []
    /// Number of bytes received.
    var received = 0
    /// Seconds since 1970 of the last change, where it is known.
    var changed: Int?
}
