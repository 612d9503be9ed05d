// SPDX-License-Identifier: Apache-2.0
// Who organises and who attends.

/// A calendar user and what is said about the person's part in an event.
internal import Foundation

///
/// - Source: RFC 5545, 3.8.4.1 and 3.8.4.3, with the parameters of 3.2.
package struct CalendarPerson: Hashable, Sendable {
    /// What a person answered; unknown answers count as none.
    package enum Participation: String, Sendable, CaseIterable {
        case needsAction = "NEEDS-ACTION"
        case accepted = "ACCEPTED"
        case declined = "DECLINED"
        case tentative = "TENTATIVE"
        case delegated = "DELEGATED"
        case completed = "COMPLETED"
        case inProcess = "IN-PROCESS"
    }

    /// How much a person is needed; unknown roles count as required.
    package enum Role: String, Sendable, CaseIterable {
        case chair = "CHAIR"
        case required = "REQ-PARTICIPANT"
        case optional = "OPT-PARTICIPANT"
        case informed = "NON-PARTICIPANT"
    }

    /// The mail address in lower case without `mailto:`, or the address as written where it is another kind.
    package let address: String
    /// The name; nil where none was given.
    package let name: String?
    /// The answer.
    package let participation: Participation
    /// The part.
    package let role: Role
    /// Whether an answer is asked for.
    package let expectsReply: Bool
    /// Whether it is a person, rather than a room, a thing or a group.
    package let isIndividual: Bool

    /// A person to be invited, by a mail address.
    package init(
        address: String, name: String? = nil, participation: Participation = .needsAction,
        role: Role = .required, expectsReply: Bool = false
    ) {
        self.address = address.lowercased()
        self.name = name
        self.participation = participation
        self.role = role
        self.expectsReply = expectsReply
        isIndividual = true
    }

    /// The person that an ATTENDEE or ORGANIZER names.
    package init(_ line: ContentLine) {
        address = Self.address(line)
        name = line["CN"].map(\.trimmingBlanks).flatMap { $0.isEmpty ? nil : $0 }
        participation =
            line["PARTSTAT"].flatMap { Participation(rawValue: $0.uppercased()) } ?? .needsAction
        role = line["ROLE"].flatMap { Role(rawValue: $0.uppercased()) } ?? .required
        expectsReply = line["RSVP"]?.uppercased() == "TRUE"
        isIndividual = line["CUTYPE"].map { ["INDIVIDUAL", ""].contains($0.uppercased()) } ?? true
    }

    /// The address by which two lines name the same person; EMAIL (RFC 7986, 6.2) where the value is no mail
    /// address.
    static func address(_ line: ContentLine) -> String {
        let value = line.value.trimmingBlanks
        let isMail = value.lowercased().hasPrefix("mailto:")
        if !isMail, let mail = line["EMAIL"], mail.contains("@") { return mail.trimmingBlanks.lowercased() }
        guard isMail || (value.contains("@") && !value.contains(":")) else { return value }
        let address = (isMail ? value.dropFirst(7) : value[...]).lowercased()
        return (address.removingPercentEncoding ?? address).trimmingBlanks
    }
}
