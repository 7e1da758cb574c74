/* faults: see the header. */
#include "adapters/reference/faults.h"

#include <string.h>

static const struct { const char *name, *help; } faults[FAULT_COUNT] = {
	/* closing the own side */
	[FAULT_NO_NOTIFY_AT_CLOSE] = { "no-notify-at-close", "close goes without close_notify" },
	[FAULT_NO_NOTIFY_AT_SHUTDOWN] = { "no-notify-at-shutdown", "shutdown says sent and sends nothing" },
	[FAULT_NO_ANSWER_AT_CLOSE] = { "no-answer-at-close", "close sends no close_notify when the peer's has come" },
	[FAULT_SHUTDOWN_IS_FIN] = { "shutdown-is-fin", "shutdown ends TCP's direction instead of TLS's" },
	[FAULT_SHUTDOWN_ADDS_FIN] = { "shutdown-adds-fin", "shutdown sends close_notify, and FIN behind it" },
	[FAULT_SHUTDOWN_FAILS] = { "shutdown-fails", "shutdown sends close_notify and reports an error while the peer's is missing" },
	[FAULT_SHUTDOWN_WAITS] = { "shutdown-waits", "shutdown for writing waits for the peer's close_notify" },
	[FAULT_SHUTDOWN_AGAIN_WAITS] = { "shutdown-again-waits", "shutdown for writing, called again, waits for the peer's close_notify" },
	[FAULT_NOTIFY_DOUBLED] = { "notify-doubled", "close_notify is sent twice" },
	[FAULT_NOTIFY_AGAIN_AT_CLOSE] = { "notify-again-at-close", "close sends close_notify although one is out" },
	[FAULT_NOTIFY_AGAIN_AT_SHUTDOWN] = { "notify-again-at-shutdown", "each shutdown sends a close_notify" },
	[FAULT_NOTIFY_IS_FATAL] = { "notify-is-fatal", "close_notify leaves at level fatal" },
	[FAULT_NOTIFY_IN_CLEAR] = { "notify-in-clear", "close_notify leaves unprotected" },
	[FAULT_NOTIFY_OLD_KEYS] = { "notify-old-keys", "close_notify leaves under the keys of before the own KeyUpdate" },
	[FAULT_NOTIFY_HANDSHAKE_KEYS] = { "notify-handshake-keys", "close_notify leaves under the handshake keys" },
	[FAULT_NOTIFY_SPLIT] = { "notify-split", "close_notify leaves in two records of one byte" },
	[FAULT_NOTIFY_FIRST_AT_FULL_SOCKET] = { "notify-first-at-full-socket", "close_notify overtakes what waits for room" },
	[FAULT_NOTIFY_LOST_AT_FULL_SOCKET] = { "notify-lost-at-full-socket", "close_notify that found no room is forgotten" },
	[FAULT_SENT_AT_FULL_SOCKET] = { "sent-at-full-socket", "shutdown says sent while close_notify waits for room" },
	[FAULT_SENT_TO_NOBODY] = { "sent-to-nobody", "shutdown says sent although the transport refused it" },
	[FAULT_HELD_DATA_LOST] = { "held-data-lost", "data that waits for company is dropped by the close" },
	[FAULT_HELD_DATA_LATE] = { "held-data-late", "data that waits for company leaves behind close_notify" },
	[FAULT_SMALL_WRITES_LOST] = { "small-writes-lost", "a small write is kept for later, and never leaves" },
	[FAULT_CLOSE_WAITS] = { "close-waits", "close waits for the peer's close_notify" },
	[FAULT_CLOSE_RESETS] = { "close-resets", "close aborts the TCP connection" },
	[FAULT_CLOSE_SHUTS_CONNECTION] = { "close-shuts-connection", "close ends the connection for all who hold a descriptor of it" },
	[FAULT_DESCRIPTOR_LEAKED] = { "descriptor-leaked", "close leaves a descriptor of the socket open" },
	[FAULT_CANCELED_ALONE] = { "canceled-alone", "closing inside the handshake sends user_canceled and no close_notify" },
	[FAULT_ALERT_BEFORE_HELLO] = { "alert-before-hello", "closing before the handshake sends close_notify" },
	[FAULT_HANDSHAKE_ALERT_IN_CLEAR] = { "handshake-alert-in-clear", "alerts inside the handshake leave unprotected" },

	/* writing */
	[FAULT_WRITE_AFTER_NOTIFY] = { "write-after-notify", "write goes on after the own close_notify" },
	[FAULT_WRITE_AFTER_NOTIFY_LOST] = { "write-after-notify-lost", "write after the own close_notify says ok and sends nothing" },
	[FAULT_WRITE_AFTER_PEER_NOTIFY_LOST] = { "write-after-peer-notify-lost",
	                                         "write after the peer's close_notify says ok and sends nothing" },
	[FAULT_WRITE_ON_12] = { "write-on-12", "in 1.2 the peer's close_notify is answered, if at all, at the close, and writing goes on" },
	[FAULT_NO_WRITE_AFTER_PEER_NOTIFY] = { "no-write-after-peer-notify", "in 1.3 the peer's close_notify ends writing" },
	[FAULT_PENDING_WRITE_DROPPED] = { "pending-write-dropped", "the peer's close_notify makes a pending write say ok, unsent" },
	[FAULT_WRITE_CLOSED_AFTER_FIN] = { "write-closed-after-fin", "write after a bare FIN says closed" },
	[FAULT_WRITE_AFTER_ALERT] = { "write-after-alert", "write goes on after the peer's error alert" },
	[FAULT_WRITE_AFTER_OWN_ALERT] = { "write-after-own-alert", "write goes on after the own error alert" },
	[FAULT_WRITE_ERROR_HIDDEN] = { "write-error-hidden", "write says ok although the transport refused it" },
	[FAULT_WRITE_AGAIN_TWICE] = { "write-again-twice", "a write that is repeated sends its record a second time" },
	[FAULT_FULL_SOCKET_IS_ERROR] = { "full-socket-is-error", "a full socket fails the write" },
	[FAULT_RECORD_TORN] = { "record-torn", "what is left of a record at a full socket is dropped" },
	[FAULT_SIGPIPE] = { "sigpipe", "a send to a broken pipe raises SIGPIPE" },

	/* reading the end */
	[FAULT_NOTIFY_IGNORED] = { "notify-ignored", "the peer's close_notify is ignored" },
	[FAULT_FIN_IS_END] = { "fin-is-end", "FIN between two records reads as closed" },
	[FAULT_FIN_IN_HEADER_IS_END] = { "fin-in-header-is-end", "FIN inside a record's header reads as closed" },
	[FAULT_FIN_IN_BODY_IS_END] = { "fin-in-body-is-end", "FIN inside a record's body reads as closed" },
	[FAULT_FIN_IS_ERROR] = { "fin-is-error", "FIN reads as an error like any other" },
	[FAULT_FIN_IGNORED] = { "fin-ignored", "FIN is taken for a lack of input" },
	[FAULT_FIN_FIRST] = { "fin-first", "a FIN is told before the data in front of it" },
	[FAULT_FIN_NOT_STICKY] = { "fin-not-sticky", "a read behind a cut end says closed" },
	[FAULT_CUT_RECORD_DELIVERED] = { "cut-record-delivered", "FIN inside a record delivers what there is of it" },
	[FAULT_IGNORE_EOF_FAILS] = { "ignore-eof-fails", "the option to ignore a bare FIN does nothing" },
	[FAULT_RESET_IS_END] = { "reset-is-end", "RST reads as closed" },
	[FAULT_RESET_IS_TRUNCATION] = { "reset-is-truncation", "RST reads as a missing close_notify" },
	[FAULT_RESET_EATEN] = { "reset-eaten", "RST that a write met reads as closed" },
	[FAULT_RESET_CRASHES] = { "reset-crashes", "RST ends the process" },
	[FAULT_HANGUP_FIRST] = { "hangup-first", "a connection that is gone is told before the data that came" },
	[FAULT_END_NOT_STICKY] = { "end-not-sticky", "a second read behind the end is an error" },
	[FAULT_LATE_DATA_DELIVERED] = { "late-data-delivered", "data behind the peer's close_notify is delivered" },
	[FAULT_LATE_ALERT_HEARD] = { "late-alert-heard", "an error alert behind the peer's close_notify fails the reads" },
	[FAULT_LATE_RECORDS_ANSWERED] = { "late-records-answered", "what comes behind the peer's close_notify is processed and answered" },
	[FAULT_FIN_AT_PEER_NOTIFY] = { "fin-at-peer-notify", "the peer's close_notify is answered with a FIN" },
	[FAULT_CLOSED_BY_OWN_NOTIFY] = { "closed-by-own-notify", "after the own close_notify reads say closed" },
	[FAULT_REFUSED_AFTER_OWN_NOTIFY] = { "refused-after-own-notify", "after the own close_notify reads are refused" },
	[FAULT_DATA_LOST_WITH_NOTIFY] = { "data-lost-with-notify", "data that came together with close_notify is dropped" },
	[FAULT_SHORT_READ_DROPS] = { "short-read-drops", "a short read drops the rest of its record" },
	[FAULT_INPUT_HIDDEN] = { "input-hidden", "a record that the library holds waits for new input" },
	[FAULT_BYTES_BEHIND_SWALLOWED] = { "bytes-behind-swallowed", "bytes behind the peer's close_notify are read with it and lost" },
	[FAULT_JUNK_IS_END] = { "junk-is-end", "bytes that are no TLS read as closed" },
	[FAULT_READ_SPINS] = { "read-spins", "a read without input burns the processor" },
	[FAULT_SIGNAL_IS_ERROR] = { "signal-is-error", "a signal fails the read that waits" },
	[FAULT_WAITING_IS_ERROR] = { "waiting-is-error", "a lack of input fails the call" },
	[FAULT_HALF_RECORD_FORGOTTEN] = { "half-record-forgotten", "the beginning of a record is lost when its rest is late" },
	[FAULT_CANCELLED_READ_POISONS] = { "cancelled-read-poisons", "a read that was given up makes the shutdown fail" },
	[FAULT_SHUTDOWN_DROPS_INPUT] = { "shutdown-drops-input", "shutdown drops the beginning of the record that is coming in" },

	/* the whole exchange */
	[FAULT_BOTH_COMPLETE_AT_ONCE] = { "both-complete-at-once", "the whole exchange does not wait for the peer's close_notify" },
	[FAULT_BOTH_COMPLETE_AT_FIN] = { "both-complete-at-fin", "the whole exchange is complete at FIN" },
	[FAULT_BOTH_COMPLETE_AT_RESET] = { "both-complete-at-reset", "the whole exchange is complete at RST" },
	[FAULT_BOTH_COMPLETE_AT_ERROR] = { "both-complete-at-error", "the whole exchange is complete at a record that is none" },
	[FAULT_BOTH_COMPLETE_AFTER_ERROR] = { "both-complete-after-error", "the whole exchange is complete after the connection failed" },
	[FAULT_BOTH_FORGETS_PEER] = { "both-forgets-peer", "the whole exchange waits for a second close_notify" },
	[FAULT_BOTH_DISCARDS_DATA] = { "both-discards-data", "the whole exchange throws unread data away" },

	/* alerts */
	[FAULT_ALERT_IS_END] = { "alert-is-end", "the peer's error alert reads as closed" },
	[FAULT_ALERT_UNNAMED] = { "alert-unnamed", "the peer's error alert reads as an error without a name" },
	[FAULT_ALERT_IGNORED] = { "alert-ignored", "the peer's error alert is ignored" },
	[FAULT_ALERT_NOT_STICKY] = { "alert-not-sticky", "reading goes on behind the peer's error alert" },
	[FAULT_NOTIFY_AFTER_ALERT] = { "notify-after-alert", "close sends close_notify after the peer's error alert" },
	[FAULT_NOTIFY_AFTER_OWN_ALERT] = { "notify-after-own-alert", "close sends close_notify after the own error alert" },
	[FAULT_ALERT_DOUBLED] = { "alert-doubled", "an error alert is sent twice" },
	[FAULT_ALERT_AFTER_NOTIFY] = { "alert-after-notify", "an error alert is sent after the own close_notify" },
	[FAULT_ALERT_LEVEL_HEEDED] = { "alert-level-heeded", "in 1.3 error alerts at level warning are ignored" },
	[FAULT_UNKNOWN_ALERT_IGNORED] = { "unknown-alert-ignored", "alerts with an unknown number are ignored" },
	[FAULT_UNKNOWN_WARNING_IGNORED] = { "unknown-warning-ignored",
	                                    "in 1.3 alerts with an unknown number are ignored at level warning" },
	[FAULT_WARNING_IS_END] = { "warning-is-end", "in 1.2 a warning reads as closed" },
	[FAULT_WARNING_IS_ERROR] = { "warning-is-error", "in 1.2 a warning ends the connection without a word" },
	[FAULT_WARNING_FLOOD_IS_END] = { "warning-flood-is-end", "too many warnings read as closed" },
	[FAULT_WARNING_FLOOD_IS_SILENT] = { "warning-flood-is-silent", "too many warnings end the connection without a word" },
	[FAULT_CANCELED_IS_END] = { "canceled-is-end", "user_canceled reads as closed" },
	[FAULT_CANCELED_IS_ERROR] = { "canceled-is-error", "user_canceled ends the connection" },
	[FAULT_NO_ALERT] = { "no-alert", "an error is answered by no alert" },
	[FAULT_BAD_MAC_MISNAMED] = { "bad-mac-misnamed", "a record that does not open is answered by decrypt_error" },
	[FAULT_ALERT_AT_WARNING] = { "alert-at-warning", "error alerts leave at level warning" },
	[FAULT_ALERT_LOST_AT_CLOSE] = { "alert-lost-at-close", "close drops the error alert and what else waits" },

	/* records */
	[FAULT_TAG_NOT_CHECKED] = { "tag-not-checked", "a record that does not open and has the length of close_notify counts as one" },
	[FAULT_BAD_RECORD_SKIPPED] = { "bad-record-skipped", "a record that does not open is skipped" },
	[FAULT_ERROR_NOT_STICKY] = { "error-not-sticky", "reading goes on behind a record that does not open" },
	[FAULT_CLEAR_ALERT_BELIEVED] = { "clear-alert-believed", "an alert in clear is believed" },
	[FAULT_CLEAR_ALERT_SKIPPED] = { "clear-alert-skipped", "an alert in clear is skipped" },
	[FAULT_CLEAR_ALERT_MISNAMED] = { "clear-alert-misnamed", "a record in clear is answered by the wrong alert" },
	[FAULT_HANDSHAKE_KEYS_OPENED] = { "handshake-keys-opened", "records under the handshake keys are opened" },
	[FAULT_OLD_KEYS_OPENED] = { "old-keys-opened", "records under the keys of before the KeyUpdate are opened" },
	[FAULT_NEXT_KEYS_OPENED] = { "next-keys-opened", "records under the next keys are opened without a KeyUpdate" },
	[FAULT_REPLAY_OPENED] = { "replay-opened", "a record that comes twice is opened twice" },
	[FAULT_GAP_OPENED] = { "gap-opened", "a missing record is not noticed" },
	[FAULT_ALERT_JOINED] = { "alert-joined", "an alert may be split over records" },
	[FAULT_ALERTS_IN_ONE_RECORD] = { "alerts-in-one-record", "a record may hold more than one alert" },
	[FAULT_SHORT_ALERT_IS_NOTIFY] = { "short-alert-is-notify", "an alert of one byte counts as close_notify" },
	[FAULT_BAD_ALERT_MISNAMED] = { "bad-alert-misnamed", "an alert of a wrong length is answered by the wrong alert" },
	[FAULT_EMPTY_ALERT_SKIPPED] = { "empty-alert-skipped", "an empty alert is skipped" },
	[FAULT_EMPTY_ALERT_MISNAMED] = { "empty-alert-misnamed", "an empty alert is answered by the wrong alert" },
	[FAULT_EMPTY_ALERT_CRASHES] = { "empty-alert-crashes", "an empty alert ends the process" },
	[FAULT_ODD_LEVEL_SKIPPED] = { "odd-level-skipped", "close_notify of a level other than warning is skipped" },
	[FAULT_ODD_LEVEL_REFUSED] = { "odd-level-refused", "close_notify of a level other than warning is an error" },
	[FAULT_EMPTY_DATA_IS_END] = { "empty-data-is-end", "an empty record of data reads as closed" },
	[FAULT_EMPTY_DATA_REFUSED] = { "empty-data-refused", "empty records of data are an error" },
	[FAULT_PADDING_REFUSED] = { "padding-refused", "padded records are an error" },
	[FAULT_LONG_PADDING_REFUSED] = { "long-padding-refused", "a record padded to the full length is an error" },
	[FAULT_UNTYPED_SKIPPED] = { "untyped-skipped", "a record without an inner type is skipped" },
	[FAULT_UNTYPED_MISNAMED] = { "untyped-misnamed", "a record without an inner type is answered by the wrong alert" },
	[FAULT_OVERFLOW_ACCEPTED] = { "overflow-accepted", "records longer than allowed are accepted" },
	[FAULT_OVERFLOW_MISNAMED] = { "overflow-misnamed", "records longer than allowed are answered by the wrong alert" },
	[FAULT_INNER_OVERFLOW_SKIPPED] = { "inner-overflow-skipped", "a record with too much padding in it is skipped" },
	[FAULT_INTERLEAVING_ACCEPTED] = { "interleaving-accepted", "records inside a handshake message are accepted" },
	[FAULT_INTERLEAVING_MISNAMED] = { "interleaving-misnamed", "a record inside a handshake message is answered by the wrong alert" },
	[FAULT_MESSAGE_IS_END] = { "message-is-end", "a handshake message reads as closed" },

	/* key update, handshake, tickets */
	[FAULT_UPDATE_NOT_FOLLOWED] = { "update-not-followed", "the peer's KeyUpdate does not change the keys" },
	[FAULT_UPDATES_LIMITED] = { "updates-limited", "more than four KeyUpdates are an error" },
	[FAULT_UPDATE_NOT_ANSWERED] = { "update-not-answered", "a requested KeyUpdate is not answered" },
	[FAULT_UPDATE_ANSWERED_AFTER_NOTIFY] = { "update-answered-after-notify",
	                                         "a requested KeyUpdate is answered after the own close_notify" },
	[FAULT_OWN_UPDATE_AFTER_NOTIFY] = { "own-update-after-notify", "the own keys can be updated after the own close_notify" },
	[FAULT_OWN_UPDATE_KEEPS_KEYS] = { "own-update-keeps-keys", "after the own KeyUpdate the old keys go on" },
	[FAULT_UPDATE_ASKED_TWICE] = { "update-asked-twice", "a KeyUpdate is requested while a request is open" },
	[FAULT_HANDSHAKE_END_IS_CLOSED] = { "handshake-end-is-closed", "a handshake that was closed or cut says closed" },
	[FAULT_HANDSHAKE_CUT_IS_DONE] = { "handshake-cut-is-done", "a handshake that was cut says ok" },
	[FAULT_HANDSHAKE_NOTIFY_IS_DONE] = { "handshake-notify-is-done", "a handshake that was closed says ok" },
	[FAULT_HANDSHAKE_NOTIFY_IS_END] = { "handshake-notify-is-end", "reads after a handshake that was closed say closed" },
	[FAULT_HANDSHAKE_HANGUP_FAILS] = { "handshake-hangup-fails", "a handshake whose last flight came with a FIN fails" },
	[FAULT_EARLY_DATA_LOST] = { "early-data-lost", "what comes with the peer's last flight is dropped" },
	[FAULT_CRASH_BEFORE_START] = { "crash-before-start", "closing before the handshake ends the process" },
	[FAULT_TICKET_AFTER_NOTIFY_REFUSED] = { "ticket-after-notify-refused", "a ticket after the own close_notify is an error" },
	[FAULT_TICKET_AFTER_NOTIFY_DROPPED] = { "ticket-after-notify-dropped", "a ticket after the own close_notify is dropped" },
	[FAULT_SESSION_NEEDS_NOTIFY] = { "session-needs-notify", "a session without the peer's close_notify is not resumed" },
	[FAULT_SESSION_SURVIVES_ALERT] = { "session-survives-alert", "a session is resumed after the peer's error alert" },
	[FAULT_SESSION_SURVIVES_OWN_ALERT] = { "session-survives-own-alert", "a session is resumed after the own error alert" },
	[FAULT_ALERT_FAILS_SIBLINGS] = { "alert-fails-siblings", "an error alert on one connection fails the others of its session" },

	/* 0-RTT */
	[FAULT_EARLY_FIN_IS_END] = { "early-fin-is-end", "early data that a FIN cuts off reads as closed" },
	[FAULT_EARLY_NOTIFY_IGNORED] = { "early-notify-ignored", "a close_notify behind early data is skipped" },
	[FAULT_EARLY_CLEAR_NOTIFY_BELIEVED] = { "early-clear-notify-believed",
	                                        "a close_notify in clear behind early data reads as closed" },
	[FAULT_EARLY_END_IS_CLOSED] = { "early-end-is-closed", "the end of early data reads as closed" },
};

static enum fault_id chosen;

bool fault(enum fault_id f)
{
	return chosen == f;
}

bool fault_choose(const char *name)
{
	for (enum fault_id f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
		if (strcmp(faults[f].name, name) == 0) {
			chosen = f;
			return true;
		}
	return false;
}

void fault_list(FILE *to)
{
	for (enum fault_id f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
		fprintf(to, "%s\t%s\n", faults[f].name, faults[f].help);
}
