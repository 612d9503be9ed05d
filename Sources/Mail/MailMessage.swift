// SPDX-License-Identifier: Apache-2.0
// A message of plain text, as it goes over the wire.

internal import Foundation
package import Model

/// A message to people (RFC 5322, with MIME).
package struct MailMessage: Sendable {
    /// What makes it the same message again, for those that get it twice.
    package let id: String
    /// Addresses.
    package let recipients: [String]
    /// One line.
    package let subject: String
    /// Lines of text.
    package let text: String
    /// When it was written.
    package let at: Timestamp

    /// A message.
    package init(id: String, recipients: [String], subject: String, text: String, at: Timestamp) {
        self.id = id
        self.recipients = recipients
        self.subject = subject
        self.text = text
        self.at = at
    }

    /// Whether a text can be the address of a recipient: one at sign, no blanks, nothing that ends a line.
    package static func isAddress(_ text: String) -> Bool {
        text.wholeMatch(of: #/[A-Za-z0-9.!#$%&'*+\/=?^_`{|}~\-]+@[A-Za-z0-9.\-]+/#) != nil
    }

    /// The message with its headers.
    ///
    /// - Source: RFC 5322 section 3.6, RFC 2047 section 4.1, RFC 3834 section 5.
    package func bytes(from sender: String) -> [UInt8] {
        let host = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        let lines = [
            "Date: \(date)", "From: Relais <\(sender)>", "To: \(recipients.joined(separator: ", "))",
            "Message-ID: <\(id)@\(host)>", "Subject: \(encodedSubject)", "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64", "", encodedText, "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    private var date: String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss +0000"
        return formatter.string(from: Date(timeIntervalSince1970: Double(at.microsecondsSince1970) / 1e6))
    }

    /// Words of at most 75 characters, none of which cuts a letter.
    private var encodedSubject: String {
        var words: [String] = []
        var part = ""
        for character in subject where !character.isNewline {
            if (part + String(character)).utf8.count > 42 {
                words.append(part)
                part = ""
            }
            part.append(character)
        }
        words.append(part)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    private var encodedText: String {
        let crlf = text.replacing(#/\r?\n/#, with: "\r\n")
        return Data(crlf.utf8).base64EncodedString(options: [.lineLength76Characters])
    }
}
