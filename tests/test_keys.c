/* The vectors are those of RFC 8448; a row's name begins with its section. What the RFC has no vectors for (other
 * suites, key updates, TLS 1.2) is compared with a second source: HMAC by hand, and OpenSSL's own record layer. */
#include "peer/keys.h"

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

#include "peer/cert.h"
#include "tests/check_rows.h"

/* A record in memory of its own, so that a sanitizer sees a read behind it. record_free. */
static struct record record_of(struct bytes whole)
{
	struct bytes copy = exact(whole), rest = copy;
	struct record rec;

	ck_assert(record_take(&rest, &rec) == TAKEN && rest.n == 0);
	return rec;
}

static void record_free(struct record *rec)
{
	free((void *)rec->whole.p);
}

static struct keys keys_of(uint16_t suite, const char *secret)
{
	struct buf b = { 0 };
	struct keys k = { 0 };

	ck_assert(keys_from_secret(&k, suite_find(suite), unhex(secret, &b)));
	buf_free(&b);
	return k;
}

/* Opens rec behind what the buffer holds, and compares; the sequence number must move by one. */
static void opens_as(const char *name, struct keys *k, const struct record *rec, unsigned type, struct bytes want)
{
	struct buf plain = { 0 };
	uint64_t seq = k->seq;
	uint8_t got = 0xee;

	buf_add_bytes(&plain, bytes_of("kept"));
	ck_assert_msg(keys_open(k, rec, &got, &plain), "%s: does not open", name);
	ck_assert_msg(got == type, "%s: type %u", name, got);
	ck_assert_msg(k->seq == seq + 1, "%s: sequence number", name);
	ck_assert_msg(strncmp(buf_str(&plain), "kept", 4) == 0, "%s: the buffer lost what it held", name);
	buf_drop(&plain, 4);
	same_bytes(name, buf_bytes(&plain), want);
	buf_free(&plain);
}

/* rec must not open, and nothing may have changed: neither the keys, nor the buffer, nor OpenSSL's error queue. */
static void refused(const char *name, const char *why, struct keys *k, const struct record *rec)
{
	struct buf plain = { 0 };
	struct keys before = *k;
	uint8_t type = 0xee;

	buf_add_bytes(&plain, bytes_of("kept"));
	ck_assert_msg(!keys_open(k, rec, &type, &plain), "%s opens: %s", name, why);
	ck_assert_msg(type == 0xee && k->seq == before.seq && k->suite == before.suite, "%s changed: %s", name, why);
	ck_assert_msg(memcmp(k->key, before.key, sizeof(k->key)) == 0, "%s changed the key: %s", name, why);
	ck_assert_msg(memcmp(k->iv, before.iv, sizeof(k->iv)) == 0, "%s changed the IV: %s", name, why);
	ck_assert_msg(memcmp(&k->secret, &before.secret, sizeof(k->secret)) == 0, "%s changed the secret: %s", name, why);
	ck_assert_msg(strcmp(buf_str(&plain), "kept") == 0, "%s changed the buffer: %s", name, why);
	ck_assert_msg(ERR_peek_error() == 0, "%s left an error behind: %s", name, why);
	buf_free(&plain);
}

static const struct {
	const char *name, *label, *secret, *context, *want;
} labels[] = {
	{ "3: derived for handshake", "derived",
	  "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba" },
	{ "3: c hs traffic", "c hs traffic",
	  "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac",
	  "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8",
	  "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21" },
	{ "3: s hs traffic", "s hs traffic",
	  "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac",
	  "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8",
	  "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38" },
	{ "3: derived for master", "derived",
	  "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4" },
	{ "3: finished of s hs traffic", "finished",
	  "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
	  "",
	  "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8" },
	{ "3: c ap traffic", "c ap traffic",
	  "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919",
	  "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13",
	  "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5" },
	{ "3: s ap traffic", "s ap traffic",
	  "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919",
	  "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13",
	  "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643" },
	{ "3: exp master", "exp master",
	  "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919",
	  "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13",
	  "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50" },
	{ "3: finished of c hs traffic", "finished",
	  "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
	  "",
	  "b80ad01015fb2f0bd65ff7d4da5d6bf83f84821d1f87fdc7d3c75b5a7b42d9c4" },
	{ "3: res master", "res master",
	  "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919",
	  "209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d",
	  "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c" },
	{ "3: resumption", "resumption",
	  "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c",
	  "0000",
	  "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3" },
	{ "4: finished of the binder", "finished",
	  "69fe131a3bbad5d63c64eebcc30e395b9d8107726a13d074e389dbc8a4e47256",
	  "",
	  "5588673e72cb59c87d220caffe94f2dea9a3b1609f7d50e90a48227db9ed7eaa" },
	{ "4: c e traffic", "c e traffic",
	  "9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c",
	  "08ad0fa05d7c7233b1775ba2ff9f4c5b8b59276b7f227f13a976245f5d960913",
	  "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62" },
	{ "4: e exp master", "e exp master",
	  "9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c",
	  "08ad0fa05d7c7233b1775ba2ff9f4c5b8b59276b7f227f13a976245f5d960913",
	  "b2026866610937d7423e5be90862ccf24c0e6091186d34f812089ff5be2ef7df" },
};

START_TEST(label_row)
{
	struct buf secret = { 0 }, context = { 0 }, want = { 0 };
	uint8_t got[32];

	unhex(labels[_i].want, &want);
	ck_assert(hkdf_expand_label("SHA256", unhex(labels[_i].secret, &secret), labels[_i].label,
	                            unhex(labels[_i].context, &context), got, sizeof(got)));
	same_bytes(labels[_i].name, (struct bytes){ got, sizeof(got) }, buf_bytes(&want));
	buf_free(&secret);
	buf_free(&context);
	buf_free(&want);
}
END_TEST

static const char s_hs3[] = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
static const char s_ap3[] = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
static const char c_hs3[] = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
static const char c_ap3[] = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
static const char c_e4[] = "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62";
static const char s_hs4[] = "fe927ae271312e8bf0275b581c54eef020450dc4ecffaa05a1a35d27518e7803";
static const char s_ap4[] = "cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691";
static const char c_hs4[] = "2faac08f851d35fea3604fcb4de82dc62c9b164a70974d0462e27f1ab278700f";
static const char c_ap4[] = "2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1";

static const struct { const char *name, *secret, *key, *iv; } traffic[] = {
	{ "3: s hs traffic", s_hs3,
	  "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30" },
	{ "3: s ap traffic", s_ap3,
	  "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984" },
	{ "3: c hs traffic", c_hs3,
	  "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f" },
	{ "3: c ap traffic", c_ap3,
	  "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9" },
	{ "4: c e traffic", c_e4,
	  "920205a5b7bf2115e6fc5c2942834f54", "6d475f0993c8e564610db2b9" },
	{ "4: s hs traffic", s_hs4,
	  "27c6bdc0a3dcea39a47326d79bc9e4ee", "9569ecdd4d0536705e9ef725" },
	{ "4: s ap traffic", s_ap4,
	  "e857c690a34c5a9129d833619684f95e", "0685d6b561aab9ef1013faf9" },
	{ "4: c hs traffic", c_hs4,
	  "b1530806f4adfeac83f1413032bbfa82", "eb50c16be7654abf99dd06d9" },
	{ "4: c ap traffic", c_ap4,
	  "3cf122f301c6358ca7989553250efd72", "ab1aec26aa78b8fc1176b9ac" },
};

START_TEST(traffic_row)
{
	struct keys k = keys_of(0x1301, traffic[_i].secret);
	struct buf want = { 0 };

	unhex(traffic[_i].key, &want);
	same_bytes(traffic[_i].name, (struct bytes){ k.key, 16 }, buf_bytes(&want));
	want.n = 0;
	unhex(traffic[_i].iv, &want);
	same_bytes(traffic[_i].name, (struct bytes){ k.iv, 12 }, buf_bytes(&want));
	ck_assert_msg(k.seq == 0, "%s", traffic[_i].name);
	keys_free(&k);
	buf_free(&want);
}
END_TEST

static const struct {
	const char *name, *secret;
	uint64_t seq;
	unsigned type;
	const char *plain, *record;
} traces[] = {
	{ "3: server flight", s_hs3, 0, TYPE_HANDSHAKE,
	  "080000240022000a00140012001d00170018001901000101010201030104001c00024001000000000b0001b9000001b5"
	  "0001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a0603550403130372"
	  "7361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372"
	  "736130819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c"
	  "0c68de55e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0cc"
	  "b0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d03e2bd193eff0ab9a"
	  "8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f0404030205a0"
	  "300d06092a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594"
	  "365417f2eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1"
	  "fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759409ba3eac9d91d402dcc0cc8f8961229ac9187b4"
	  "2b4de100000f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc"
	  "90db78e2d33a5c141a078653fa6bef780c5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671"
	  "459e46445c9ea58c181e818e95b8c3fb0bf3278409d3be152a3da5043e063dda65cdf5aea20d53dfacd42f74f3140000"
	  "209b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718",
	  "17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca"
	  "07612ef9f945cb960b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13b"
	  "d9aefb0e57f271585b8ea9bb355c7c79020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c"
	  "7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b227812cbb360987255cc744110c453baa4fcd61092"
	  "8d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab66e5edd8044b4c6de3fcf2a8"
	  "9441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e688611ea5e22f"
	  "4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a3"
	  "6ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e"
	  "1b7a6c7178af36879018e3f252107f243d243dc7339d5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052c"
	  "f93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c74116dbd2972fda1fa80f85df881edbe"
	  "5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992f67f8afe67f76913fa388cb"
	  "5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c0b3b66763038"
	  "ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd50278"
	  "4016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e"
	  "750edc53370d2b" },
	{ "3: client Finished", c_hs3, 0, TYPE_HANDSHAKE,
	  "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61",
	  "170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1c"
	  "aeacab6867d726c40546" },
	{ "3: NewSessionTicket", s_ap3, 0, TYPE_HANDSHAKE,
	  "040000c90000001efad6aac502000000b22c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90bf"
	  "1b0070ad3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143efd3ff5dd36d64e861be7fd61d2827"
	  "db279cce145077d454a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da2677fa5906c5b3f7d8f92f228"
	  "bda40dda721470f9fbf297b5aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e93343694093934a"
	  "e4d3570008002a000400000400",
	  "17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a"
	  "015940252f55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e0"
	  "9c30ba1e62972ac46f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77"
	  "f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74"
	  "bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f" },
	{ "3: client data", c_ap3, 0, TYPE_DATA,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
	  "3031",
	  "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b"
	  "62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4" },
	{ "3: server data", s_ap3, 1, TYPE_DATA,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
	  "3031",
	  "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8"
	  "fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d" },
	{ "3: client alert", c_ap3, 1, TYPE_ALERT,
	  "0100",
	  "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3" },
	{ "3: server alert", s_ap3, 2, TYPE_ALERT,
	  "0100",
	  "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9" },
	{ "4: early data", c_e4, 0, TYPE_DATA,
	  "414243444546",
	  "1703030017ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0" },
	{ "4: server flight", s_hs4, 0, TYPE_HANDSHAKE,
	  "080000280026000a00140012001d00170018001901000101010201030104001c0002400100000000002a000014000020"
	  "48d3e0e1b3d907c6acff145e16090388c77b05c050b634ab1a88bbd0dd1a34b2",
	  "1703030061dc48237b4b879f50d0d4d262ea8b4716eb40ddc1eb957e11126e8a7149c2d012d37a7115957e64ce30008b"
	  "9e0323f2c05a9c1c77b4f37849a695ab255060a33fee770ca95cb8486bfd0843b87024865ca35cc41c4e515c64dcb136"
	  "9f98635bc7a5" },
	{ "4: EndOfEarlyData", c_e4, 1, TYPE_HANDSHAKE,
	  "05000000",
	  "1703030015aca6fc944841298df99593725f9bf9754429b12f09" },
	{ "4: client Finished", c_hs4, 0, TYPE_HANDSHAKE,
	  "140000207230a9c952c25cd6138fc5e6628308c41c5335dd81b9f96bcea50fd32bda416d",
	  "170303003500f8b467d14cf22a4b3f0b6ae0d8e6cc8d08e0db3515ef5c2bdf1922eafbb70009964716d834fb70c3d2a5"
	  "6c5b1f5f6bdba6c333cf" },
	{ "4: client data", c_ap4, 0, TYPE_DATA,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
	  "3031",
	  "1703030043b1cebce242aa201be9ae5e1cb2a9aa4b33d4e866af1edb068919237741aa031d7a74d491c99b9d4e232b74"
	  "206bc6fbaa04fe78be44a9b4f54320a17eb76992afac3103" },
	{ "4: server data", s_ap4, 0, TYPE_DATA,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
	  "3031",
	  "1703030043275e9f20acff57bc000657d3867df039cccf79047884cf75771746f740b5a83f462a0954c3581393a203a2"
	  "5a7dd14141ef1a37900cdb62ff62dee1ba39ab2590cbf194" },
	{ "4: client alert", c_ap4, 1, TYPE_ALERT,
	  "0100",
	  "17030300130facce3246bdfc6369838d6a82ae6de5d422dc" },
	{ "4: server alert", s_ap4, 1, TYPE_ALERT,
	  "0100",
	  "17030300135b18af444e8e1eec7158fb62d8f2577d37ba5d" },
};

START_TEST(trace_opens)
{
	struct keys k = keys_of(0x1301, traces[_i].secret);
	struct buf plain = { 0 }, whole = { 0 };
	struct record rec = record_of(unhex(traces[_i].record, &whole));

	k.seq = traces[_i].seq;
	opens_as(traces[_i].name, &k, &rec, traces[_i].type, unhex(traces[_i].plain, &plain));
	record_free(&rec);
	keys_free(&k);
	buf_free(&plain);
	buf_free(&whole);
}
END_TEST

START_TEST(trace_seals)
{
	struct keys k = keys_of(0x1301, traces[_i].secret);
	struct buf plain = { 0 }, want = { 0 }, got = { 0 };

	k.seq = traces[_i].seq;
	unhex(traces[_i].record, &want);
	ck_assert(keys_seal(&k, traces[_i].type, unhex(traces[_i].plain, &plain), 0, &got));
	same_bytes(traces[_i].name, buf_bytes(&got), buf_bytes(&want));
	ck_assert(k.seq == traces[_i].seq + 1);
	keys_free(&k);
	buf_free(&plain);
	buf_free(&want);
	buf_free(&got);
}
END_TEST

/* HMAC(secret, message): what both key schedules are made of, by another road than the KDFs that keys.c calls. */
static void hmac(const char *hash, struct bytes secret, const struct buf *message, uint8_t out[64])
{
	ck_assert_ptr_nonnull(HMAC(EVP_get_digestbyname(hash), secret.p, (int)secret.n, message->p, message->n, out, NULL));
}

static const struct { const char *name; uint16_t id; size_t hash_len; } updates[] = {
	{ "SHA256", 0x1301, 32 }, { "SHA384", 0x1302, 48 }, { "SHA256, ChaCha20", 0x1303, 32 },
};

/* RFC 8446 7.2 and RFC 5869 2.3: one block of HKDF-Expand is HMAC(secret, info || 01). */
START_TEST(update_row)
{
	const struct suite *suite = suite_find(updates[_i].id);
	size_t n = updates[_i].hash_len;
	struct buf secret = { 0 }, info = { 0 };
	struct keys k = { 0 };
	uint8_t want[64];

	buf_pattern(&secret, n);
	ck_assert(keys_from_secret(&k, suite, buf_bytes(&secret)));
	buf_u16(&info, (unsigned)n);
	buf_printf(&info, "%ctls13 traffic upd%c\x01", 17, 0);
	for (int generation = 0; generation < 3; generation++) {
		k.seq = 7;
		hmac(suite->hash, (struct bytes){ k.secret.p, k.secret.n }, &info, want);
		ck_assert(keys_next(&k));
		ck_assert_msg(k.seq == 0, "%s: sequence number", updates[_i].name);
		same_bytes(updates[_i].name, (struct bytes){ k.secret.p, k.secret.n }, (struct bytes){ want, n });
	}
	keys_free(&k);
	buf_free(&secret);
	buf_free(&info);
}
END_TEST

/* The vectors that were posted to the TLS working group's list and that implementations share since. */
static const struct { const char *hash, *secret, *seed, *want; } prfs[] = {
	{ "SHA256", "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
	  "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
	  "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
	  "87347b66" },
	{ "SHA384", "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
	  "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
	  "e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
	  "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070"
	  "3d73e56f" },
};

START_TEST(prf_row)
{
	struct buf secret = { 0 }, seed = { 0 }, want = { 0 };
	uint8_t got[160];

	unhex(prfs[_i].want, &want);
	ck_assert(prf12(prfs[_i].hash, unhex(prfs[_i].secret, &secret), "test label", unhex(prfs[_i].seed, &seed), got, want.n));
	same_bytes(prfs[_i].hash, (struct bytes){ got, want.n }, buf_bytes(&want));
	buf_free(&secret);
	buf_free(&seed);
	buf_free(&want);
}
END_TEST

/* P_hash as RFC 5246 5 writes it. */
static void p_hash(const char *hash, size_t hash_len, struct bytes secret, struct bytes seed, struct buf *out, size_t n)
{
	uint8_t a[64], block[64];
	struct buf message = { 0 };

	buf_add_bytes(&message, seed);
	while (out->n < n) {
		hmac(hash, secret, &message, a);                        /* A(i) */
		message.n = 0;
		buf_add(&message, a, hash_len);
		buf_add_bytes(&message, seed);
		hmac(hash, secret, &message, block);
		buf_add(out, block, hash_len);
		message.n = hash_len;                                   /* A(i) alone gives A(i + 1) */
	}
	out->n = n;
	buf_free(&message);
}

static const uint16_t ids[] = { 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9 };

START_TEST(master_row)
{
	const struct suite *s = suite_find(ids[_i]);
	size_t iv = s->explicit_nonce ? 4 : 12, need = 2 * (s->key_len + iv);
	struct buf master = { 0 }, seed = { 0 }, want = { 0 };
	uint8_t client_random[32], server_random[32];
	struct keys c = { 0 }, v = { 0 };
	struct bytes rest, part;

	if (s->version != TLS12)
		return;
	memset(client_random, 'c', 32);
	memset(server_random, 's', 32);
	buf_pattern(&master, 48);
	buf_printf(&seed, "key expansion%.32s%.32s", (char *)server_random, (char *)client_random);
	p_hash(s->hash, s->hash_len, buf_bytes(&master), buf_bytes(&seed), &want, need);
	ck_assert(keys_from_master(&c, &v, s, buf_bytes(&master),
	                           (struct bytes){ client_random, 32 }, (struct bytes){ server_random, 32 }));

	rest = buf_bytes(&want);
	ck_assert(bytes_take(&rest, s->key_len, &part));
	same_bytes(s->name, (struct bytes){ c.key, s->key_len }, part);
	ck_assert(bytes_take(&rest, s->key_len, &part));
	same_bytes(s->name, (struct bytes){ v.key, s->key_len }, part);
	ck_assert(bytes_take(&rest, iv, &part));
	same_bytes(s->name, (struct bytes){ c.iv, iv }, part);
	ck_assert(bytes_take(&rest, iv, &part));
	same_bytes(s->name, (struct bytes){ v.iv, iv }, part);
	ck_assert(c.seq == 0 && v.seq == 0);

	keys_free(&c);
	keys_free(&v);
	buf_free(&master);
	buf_free(&seed);
	buf_free(&want);
}
END_TEST

START_TEST(suite_row)
{
	const struct suite *s = suite_find(ids[_i]);
	const EVP_CIPHER *cipher = EVP_get_cipherbyname(s->cipher);
	const EVP_MD *md = EVP_get_digestbyname(s->hash);

	ck_assert(s->id == ids[_i] && s->version == (s->id >> 8 == 0x13 ? TLS13 : TLS12));
	ck_assert_msg(cipher && (size_t)EVP_CIPHER_get_key_length(cipher) == s->key_len, "%s", s->name);
	ck_assert_msg(md && (size_t)EVP_MD_get_size(md) == s->hash_len, "%s", s->name);
	ck_assert_msg(s->explicit_nonce == (s->version == TLS12 && strstr(s->name, "GCM")), "%s", s->name);
	ck_assert_ptr_eq(s, suite_find(ids[_i]));
}
END_TEST

START_TEST(suite_unknown)
{
	ck_assert_ptr_null(suite_find(0));
	ck_assert_ptr_null(suite_find(0x1300));
	ck_assert_ptr_null(suite_find(0x1304));
	ck_assert_ptr_null(suite_find(0xc02d));
	ck_assert_ptr_null(suite_find(0xffff));
}
END_TEST

/* Keys of any suite, from a seed. */
static struct keys some_keys(uint16_t id, unsigned seed)
{
	const struct suite *suite = suite_find(id);
	struct keys k = { 0 }, other = { 0 };
	uint8_t secret[48], random[32];

	memset(secret, (int)seed, sizeof(secret));
	memset(random, 'r', sizeof(random));
	if (suite->version == TLS13)
		ck_assert(keys_from_secret(&k, suite, (struct bytes){ secret, suite->hash_len }));
	else
		ck_assert(keys_from_master(&k, &other, suite, (struct bytes){ secret, 48 },
		                           (struct bytes){ random, 32 }, (struct bytes){ random, 32 }));
	keys_free(&other);
	return k;
}

static size_t overhead(const struct suite *s)
{
	return RECORD_HEAD + 16 + (s->version == TLS13 ? 1 : 0) + (s->explicit_nonce ? 8 : 0);
}

static const size_t lengths[] = { 0, 1, 2, 1000, 16384, 16385 };
static const unsigned types[] = { TYPE_HANDSHAKE, TYPE_ALERT, TYPE_DATA };

/* Three records one after the other, so that the sequence number counts on both sides. */
START_TEST(round_trip)
{
	uint16_t id = ids[(size_t)_i / countof(lengths)];
	size_t len = lengths[(size_t)_i % countof(lengths)];
	struct keys to = some_keys(id, 1), from = { 0 };
	struct buf content = { 0 }, wire = { 0 };
	char name[80];

	snprintf(name, sizeof(name), "%s, %zu bytes", to.suite->name, len);
	ck_assert(keys_copy(&from, &to));
	buf_pattern(&content, len);
	for (size_t i = 0; i < countof(types); i++) {
		struct record rec;
		unsigned outer = to.suite->version == TLS13 ? TYPE_DATA : types[i];

		wire.n = 0;
		ck_assert_msg(keys_seal(&to, types[i], buf_bytes(&content), 0, &wire), "%s", name);
		ck_assert_msg(to.seq == i + 1, "%s: sequence number", name);
		ck_assert_msg(wire.n == len + overhead(to.suite), "%s: %zu on the wire", name, wire.n);
		rec = record_of(buf_bytes(&wire));
		ck_assert_msg(rec.type == outer && rec.version == 0x0303, "%s: head", name);
		if (to.suite->explicit_nonce)
			ck_assert_msg(be32(rec.body.p) == 0 && be32(rec.body.p + 4) == i, "%s: explicit nonce", name);
		opens_as(name, &from, &rec, types[i], buf_bytes(&content));
		record_free(&rec);
	}
	keys_free(&to);
	keys_free(&from);
	buf_free(&content);
	buf_free(&wire);
}
END_TEST

/* One close_notify of every suite; whatever is done to it, it does not open, and the good one does afterwards. */
static void every_byte_wrong(struct keys *k, const struct buf *wire)
{
	char why[60];

	for (size_t i = 0; i < wire->n; i++) {
		struct record rec = record_of(buf_bytes(wire));
		uint8_t *p = (uint8_t *)rec.whole.p;

		if (i == 3 || i == 4) {                 /* the length: the prefixes below */
			record_free(&rec);
			continue;
		}
		p[i] ^= 0x01;
		rec.type = p[0];
		rec.version = be16(p + 1);
		snprintf(why, sizeof(why), "byte %zu is wrong", i);
		refused(k->suite->name, why, k, &rec);
		record_free(&rec);
	}
}

static void every_prefix(struct keys *k, const struct buf *wire)
{
	struct buf part = { 0 };
	char why[60];

	for (size_t n = RECORD_HEAD; n < wire->n; n++) {
		struct record rec;

		part.n = 0;
		record_head(&part, wire->p[0], 0x0303, n - RECORD_HEAD);
		buf_add(&part, wire->p + RECORD_HEAD, n - RECORD_HEAD);
		rec = record_of(buf_bytes(&part));
		snprintf(why, sizeof(why), "cut to %zu bytes", n);
		refused(k->suite->name, why, k, &rec);
		record_free(&rec);
	}
	buf_free(&part);
}

START_TEST(refusals)
{
	struct keys to = some_keys(ids[_i], 1), from = some_keys(ids[_i], 1), others = some_keys(ids[_i], 2);
	struct bytes notify = { (const uint8_t[]){ ALERT_WARNING, ALERT_CLOSE_NOTIFY }, 2 };
	struct buf wire = { 0 };
	struct record rec;

	to.seq = from.seq = others.seq = 5;
	ck_assert(keys_seal(&to, TYPE_ALERT, notify, 0, &wire));
	rec = record_of(buf_bytes(&wire));
	from.seq = 4;
	refused(to.suite->name, "the sequence number before", &from, &rec);
	from.seq = 6;
	refused(to.suite->name, "the sequence number behind", &from, &rec);
	from.seq = 5;
	refused(to.suite->name, "other keys", &others, &rec);
	every_byte_wrong(&from, &wire);
	every_prefix(&from, &wire);

	opens_as(to.suite->name, &from, &rec, TYPE_ALERT, notify);
	refused(to.suite->name, "the same record again", &from, &rec);
	record_free(&rec);
	keys_free(&to);
	keys_free(&from);
	keys_free(&others);
	buf_free(&wire);
}
END_TEST

/* A stray byte behind the tag is one byte too many. */
START_TEST(one_byte_more)
{
	struct keys to = some_keys(ids[_i], 1), from = some_keys(ids[_i], 1);
	struct buf wire = { 0 };
	struct record rec;

	ck_assert(keys_seal(&to, TYPE_DATA, bytes_of("data"), 0, &wire));
	buf_u8(&wire, 0);
	wire.p[4]++;
	rec = record_of(buf_bytes(&wire));
	refused(to.suite->name, "one byte more", &from, &rec);
	record_free(&rec);
	keys_free(&to);
	keys_free(&from);
	buf_free(&wire);
}
END_TEST

static const struct {
	const char *name, *content;
	size_t pad;
	unsigned type, want_type;
	const char *want;
} pads[] = {
	{ "none",                           "616263",   0,     TYPE_DATA,  TYPE_DATA,  "616263" },
	{ "one",                            "616263",   1,     TYPE_DATA,  TYPE_DATA,  "616263" },
	{ "many",                           "616263",   16381, TYPE_DATA,  TYPE_DATA,  "616263" },
	{ "behind an alert",                "0100",     255,   TYPE_ALERT, TYPE_ALERT, "0100" },
	{ "content that ends in zeros",     "610000",   3,     TYPE_DATA,  TYPE_DATA,  "610000" },
	{ "content of zeros",               "0000",     0,     TYPE_DATA,  TYPE_DATA,  "0000" },
	{ "no content",                     "",         9,     TYPE_DATA,  TYPE_DATA,  "" },
	{ "zeros only",                     "",         9,     0,          0,          "" },
	{ "one zero only",                  "",         0,     0,          0,          "" },
	{ "zeros for content and type",     "0000",     3,     0,          0,          "" },
	{ "type zero: content gives one",   "616215",   3,     0,          TYPE_ALERT, "6162" },
	{ "an unknown type",                "61",       1,     99,         99,         "61" },
};

START_TEST(pad_row)
{
	struct keys to = some_keys(0x1301, 1), from = some_keys(0x1301, 1);
	struct buf content = { 0 }, want = { 0 }, wire = { 0 };
	struct record rec;

	unhex(pads[_i].content, &content);
	unhex(pads[_i].want, &want);
	ck_assert(keys_seal(&to, pads[_i].type, buf_bytes(&content), pads[_i].pad, &wire));
	ck_assert_msg(wire.n == content.n + pads[_i].pad + overhead(to.suite), "%s: %zu", pads[_i].name, wire.n);
	rec = record_of(buf_bytes(&wire));
	opens_as(pads[_i].name, &from, &rec, pads[_i].want_type, buf_bytes(&want));
	record_free(&rec);
	keys_free(&to);
	keys_free(&from);
	buf_free(&content);
	buf_free(&want);
	buf_free(&wire);
}
END_TEST

/* RFC 8446 5.2: a protected record always says application_data outside, however good its tag is. */
START_TEST(outer_type)
{
	struct keys k = some_keys(0x1301, 1);
	const uint8_t head[] = { (uint8_t)types[_i], 3, 3, 0, 3 + 16 }, inner[] = { 1, 0, TYPE_ALERT };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct buf wire = { 0 };
	struct record rec;
	int n;

	buf_add(&wire, head, sizeof(head));
	buf_grow(&wire, 3 + 16);
	ck_assert(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, k.key, k.iv));       /* number 0: the IV is the nonce */
	ck_assert(EVP_EncryptUpdate(ctx, NULL, &n, head, sizeof(head)));
	ck_assert(EVP_EncryptUpdate(ctx, wire.p + RECORD_HEAD, &n, inner, sizeof(inner)));
	ck_assert(EVP_EncryptFinal_ex(ctx, wire.p + RECORD_HEAD + 3, &n));
	ck_assert(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, wire.p + RECORD_HEAD + 3));
	EVP_CIPHER_CTX_free(ctx);

	rec = record_of(buf_bytes(&wire));
	if (types[_i] == TYPE_DATA)
		opens_as("outside application_data", &k, &rec, TYPE_ALERT, (struct bytes){ inner, 2 });
	else
		refused("1.3", "another type outside", &k, &rec);
	record_free(&rec);
	keys_free(&k);
	buf_free(&wire);
}
END_TEST

START_TEST(appends)
{
	struct keys to = some_keys(0x1301, 1), from = some_keys(0x1301, 1);
	struct buf wire = { 0 }, plain = { 0 };
	struct bytes rest;
	struct record rec;
	uint8_t type;

	for (int i = 0; i < 3; i++)
		ck_assert(keys_seal(&to, TYPE_DATA, bytes_of("abc"), 2, &wire));
	rest = buf_bytes(&wire);
	while (record_take(&rest, &rec) == TAKEN)
		ck_assert(keys_open(&from, &rec, &type, &plain));
	ck_assert_str_eq(buf_str(&plain), "abcabcabc");
	keys_free(&to);
	keys_free(&from);
	buf_free(&wire);
	buf_free(&plain);
}
END_TEST

START_TEST(in_the_clear)
{
	struct keys none = { 0 };
	struct buf wire = { 0 }, want = { 0 };
	struct record rec;

	ck_assert(keys_seal(&none, TYPE_ALERT, (struct bytes){ (const uint8_t *)"\2\50", 2 }, 0, &wire));
	same_bytes("an alert", buf_bytes(&wire), unhex("15 03 03 00 02 02 28", &want));
	rec = record_of(buf_bytes(&wire));
	opens_as("an alert", &none, &rec, TYPE_ALERT, (struct bytes){ want.p + RECORD_HEAD, 2 });
	record_free(&rec);
	keys_free(&none);
	buf_free(&wire);
	buf_free(&want);
}
END_TEST

/* What the length field cannot say is refused, and leaves nothing behind; all that it can say is sealed. */
START_TEST(too_long_to_say)
{
	struct keys k = some_keys(ids[_i], 1);
	struct buf content = { 0 }, wire = { 0 };

	buf_pattern(&content, 65536);
	ck_assert(!keys_seal(&k, TYPE_DATA, buf_bytes(&content), 0, &wire));
	ck_assert(!keys_seal(&k, TYPE_DATA, bytes_of("x"), SIZE_MAX, &wire));
	ck_assert(k.seq == 0 && wire.n == 0);
	ck_assert(keys_seal(&k, TYPE_DATA, (struct bytes){ content.p, 65000 }, 0, &wire));
	ck_assert(be16(wire.p + 3) == wire.n - RECORD_HEAD);
	keys_free(&k);
	buf_free(&content);
	buf_free(&wire);
}
END_TEST

START_TEST(secret_of_another_hash)
{
	struct keys k = some_keys(0x1301, 1), before = k;
	uint8_t secret[64] = { 1 };

	for (size_t n = 0; n <= sizeof(secret); n++)
		if (n != 32)
			ck_assert_msg(!keys_from_secret(&k, k.suite, (struct bytes){ secret, n }), "%zu bytes", n);
	ck_assert_mem_eq(&k, &before, sizeof(k));
	keys_free(&k);
}
END_TEST

START_TEST(copy_is_its_own)
{
	struct keys k = some_keys(0x1301, 1), copy = some_keys(0x1302, 2), same = some_keys(0x1301, 1);
	struct buf a = { 0 }, b = { 0 };

	for (int i = 0; i < 3; i++)
		ck_assert(keys_seal(&k, TYPE_DATA, bytes_of("x"), 0, &a));
	ck_assert(keys_copy(&copy, &k) && keys_copy(&k, &k));
	ck_assert(copy.seq == 3 && copy.ctx != k.ctx);
	ck_assert(keys_next(&k));
	keys_free(&k);
	keys_free(&k);
	ck_assert(k.suite == NULL && k.ctx == NULL);

	a.n = 0;
	same.seq = 3;
	ck_assert(keys_seal(&copy, TYPE_DATA, bytes_of("x"), 0, &a));
	ck_assert(keys_seal(&same, TYPE_DATA, bytes_of("x"), 0, &b));
	same_bytes("the fourth record", buf_bytes(&a), buf_bytes(&b));
	keys_free(&copy);
	keys_free(&same);
	buf_free(&a);
	buf_free(&b);
}
END_TEST

/* From here on the other end is OpenSSL's record layer: a client and a server in memory, whose keys we take over. */
struct ends {
	SSL *client, *server;
	BIO *client_wire, *server_wire;         /* our side of each one's pair */
	struct keys from_client, from_server;
};

static struct secret client_secret, server_secret;      /* the key log has no argument to pass them through */

static void keylog(const SSL *ssl, const char *line)
{
	static const struct { const char *label; struct secret *to; } wanted[] = {
		{ "CLIENT_TRAFFIC_SECRET_0 ", &client_secret }, { "SERVER_TRAFFIC_SECRET_0 ", &server_secret },
	};

	(void)ssl;
	for (size_t i = 0; i < countof(wanted); i++) {
		struct buf b = { 0 };

		if (strncmp(line, wanted[i].label, strlen(wanted[i].label)) != 0)
			continue;
		unhex(strrchr(line, ' ') + 1, &b);
		ck_assert_uint_le(b.n, sizeof(wanted[i].to->p));
		memcpy(wanted[i].to->p, b.p, b.n);
		wanted[i].to->n = b.n;
		buf_free(&b);
	}
}

static SSL *ssl_of(SSL_CTX *ctx, const struct suite *suite, BIO **wire)
{
	BIO *inner;
	SSL *ssl;

	ck_assert(SSL_CTX_set_min_proto_version(ctx, suite->version) && SSL_CTX_set_max_proto_version(ctx, suite->version));
	if (suite->version == TLS13)
		ck_assert(SSL_CTX_set_ciphersuites(ctx, suite->name));
	else
		ck_assert(SSL_CTX_set_cipher_list(ctx, suite->name));
	SSL_CTX_set_keylog_callback(ctx, keylog);
	ssl = SSL_new(ctx);
	ck_assert(ssl && BIO_new_bio_pair(&inner, 1 << 17, wire, 1 << 17));
	SSL_set_bio(ssl, inner, inner);
	SSL_CTX_free(ctx);
	return ssl;
}

static SSL_CTX *server_ctx(const struct suite *suite)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct cert cert;
	struct fault f;

	if (strstr(suite->name, "-RSA-"))
		ck_assert(cert_make_rsa(&cert, &f));
	else
		ck_assert(cert_make_ecdsa(&cert, &f));
	ck_assert(SSL_CTX_use_certificate(ctx, cert.x509) && SSL_CTX_use_PrivateKey(ctx, cert.key));
	ck_assert(SSL_CTX_set_num_tickets(ctx, 0));             /* they would count in the server's sequence number */
	cert_free(&cert);
	return ctx;
}

static void wire_take(BIO *wire, struct buf *out)
{
	size_t n = BIO_ctrl_pending(wire);

	if (n > 0)
		ck_assert(BIO_read(wire, buf_grow(out, n), (int)n) == (int)n);
}

static void wire_give(BIO *wire, struct buf *in)
{
	if (in->n > 0)
		ck_assert(BIO_write(wire, in->p, (int)in->n) == (int)in->n);
	in->n = 0;
}

static void shake(struct ends *e)
{
	struct buf b = { 0 };
	bool done = false;

	for (int round = 0; round < 10 && !done; round++) {
		bool client_done = SSL_do_handshake(e->client) == 1;

		wire_take(e->client_wire, &b);
		wire_give(e->server_wire, &b);
		done = SSL_do_handshake(e->server) == 1 && client_done;
		wire_take(e->server_wire, &b);
		wire_give(e->client_wire, &b);
	}
	ck_assert_msg(done, "no handshake");
	buf_free(&b);
	ERR_clear_error();
}

static void take_over(struct ends *e, const struct suite *suite)
{
	uint8_t master[48], client_random[32], server_random[32];

	if (suite->version == TLS13) {
		ck_assert(keys_from_secret(&e->from_client, suite, (struct bytes){ client_secret.p, client_secret.n }));
		ck_assert(keys_from_secret(&e->from_server, suite, (struct bytes){ server_secret.p, server_secret.n }));
		return;
	}
	ck_assert(SSL_SESSION_get_master_key(SSL_get_session(e->client), master, 48) == 48);
	ck_assert(SSL_get_client_random(e->client, client_random, 32) == 32);
	ck_assert(SSL_get_server_random(e->client, server_random, 32) == 32);
	ck_assert(keys_from_master(&e->from_client, &e->from_server, suite, (struct bytes){ master, 48 },
	                           (struct bytes){ client_random, 32 }, (struct bytes){ server_random, 32 }));
	e->from_client.seq = e->from_server.seq = 1;            /* Finished was number 0 */
}

static struct ends ends_start(const struct suite *suite)
{
	struct ends e = { 0 };

	e.client = ssl_of(SSL_CTX_new(TLS_client_method()), suite, &e.client_wire);
	e.server = ssl_of(server_ctx(suite), suite, &e.server_wire);
	SSL_set_connect_state(e.client);
	SSL_set_accept_state(e.server);
	shake(&e);
	ck_assert(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(e.client)) == suite->id);
	ck_assert_str_eq(SSL_get_cipher_name(e.client), suite->name);
	take_over(&e, suite);
	return e;
}

static void ends_end(struct ends *e)
{
	SSL_free(e->client);
	SSL_free(e->server);
	BIO_free(e->client_wire);
	BIO_free(e->server_wire);
	keys_free(&e->from_client);
	keys_free(&e->from_server);
}

/* The client's next record, opened with our keys. */
static void client_sent(struct ends *e, struct buf *wire, unsigned type, struct bytes want)
{
	struct bytes rest;
	struct record rec;

	wire_take(e->client_wire, wire);
	rest = buf_bytes(wire);
	ck_assert(record_take(&rest, &rec) == TAKEN);
	opens_as(e->from_client.suite->name, &e->from_client, &rec, type, want);
	buf_drop(wire, wire->n - rest.n);
}

/* Seals in the server's place; the client must read `want`. */
static void client_reads(struct ends *e, size_t pad, const char *want)
{
	struct buf wire = { 0 };
	char got[64] = "";

	ck_assert(keys_seal(&e->from_server, TYPE_DATA, bytes_of(want), pad, &wire));
	wire_give(e->client_wire, &wire);
	ck_assert_msg(SSL_read(e->client, got, sizeof(got) - 1) == (int)strlen(want), "%s", e->from_server.suite->name);
	ck_assert_str_eq(got, want);
	buf_free(&wire);
}

static void both_update(struct ends *e)
{
	struct bytes requested = { (const uint8_t[]){ HS_KEY_UPDATE, 0, 0, 1, 1 }, 5 };
	struct bytes plain = { (const uint8_t[]){ HS_KEY_UPDATE, 0, 0, 1, 0 }, 5 };
	struct buf wire = { 0 };

	ck_assert(SSL_key_update(e->client, SSL_KEY_UPDATE_REQUESTED) && SSL_write(e->client, "new keys", 8) == 8);
	client_sent(e, &wire, TYPE_HANDSHAKE, requested);
	ck_assert(keys_next(&e->from_client));
	client_sent(e, &wire, TYPE_DATA, bytes_of("new keys"));
	ck_assert(wire.n == 0);

	ck_assert(keys_seal(&e->from_server, TYPE_HANDSHAKE, plain, 0, &wire) && keys_next(&e->from_server));
	wire_give(e->client_wire, &wire);
	client_reads(e, 0, "new keys here too");
	buf_free(&wire);
}

START_TEST(openssl_reads_and_writes)
{
	const struct suite *suite = suite_find(ids[_i]);
	struct bytes notify = { (const uint8_t[]){ ALERT_WARNING, ALERT_CLOSE_NOTIFY }, 2 };
	struct ends e = ends_start(suite);
	struct buf wire = { 0 };
	char c;

	for (int i = 0; i < 3; i++) {
		ck_assert(SSL_write(e.client, "hello", 5) == 5);
		client_sent(&e, &wire, TYPE_DATA, bytes_of("hello"));
		client_reads(&e, 0, "hello yourself");
	}
	if (suite->version == TLS13) {
		client_reads(&e, 100, "padded");
		both_update(&e);
		both_update(&e);
	}
	ck_assert(keys_seal(&e.from_server, TYPE_ALERT, notify, 0, &wire));
	wire_give(e.client_wire, &wire);
	ck_assert_int_eq(SSL_get_error(e.client, SSL_read(e.client, &c, 1)), SSL_ERROR_ZERO_RETURN);
	ck_assert_int_eq(SSL_shutdown(e.client), 1);
	client_sent(&e, &wire, TYPE_ALERT, notify);
	ck_assert(wire.n == 0);
	ends_end(&e);
	buf_free(&wire);
}
END_TEST

ROWS_MAIN("keys",
	{ label_row, countof(labels) }, { traffic_row, countof(traffic) },
	{ trace_opens, countof(traces) }, { trace_seals, countof(traces) },
	{ update_row, countof(updates) }, { prf_row, countof(prfs) }, { master_row, countof(ids) },
	{ suite_row, countof(ids) }, { suite_unknown, 1 },
	{ round_trip, countof(ids) * countof(lengths) }, { refusals, countof(ids) }, { one_byte_more, countof(ids) },
	{ pad_row, countof(pads) }, { outer_type, countof(types) }, { appends, 1 }, { in_the_clear, 1 }, { too_long_to_say, countof(ids) },
	{ secret_of_another_hash, 1 }, { copy_is_its_own, 1 }, { openssl_reads_and_writes, countof(ids) })
