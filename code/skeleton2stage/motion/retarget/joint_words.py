"""The words by which programs and people call joints: a table of them by role, in several languages.

Words are compared as `joint_names.plain` leaves them, without accents, spaces and numbers. A word may mean more than
one role; what it is depends on the others of its limb. "Leg" is the shin under an "upleg" and the thigh over
a "shin"; "shoulder" is the collar before an "arm" (Mixamo) and the shoulder after a "collar" or without one (CMU).
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SIDE_WORDS = {
    "left": _words(
        "left l lft lf lt gauche links linke linker linkes hidari izquierda izquierdo izq sinistra "
        "sinistro sx esquerda esquerdo esq 左 lewa lewy левая левый"
    ),
    "right": _words(
        "right r rgt rt droite droit rechts rechte rechter rechtes migi derecha derecho destra "
        "destro dx direita direito dir 右 prawa prawy правая правый"
    ),
}
# What is a side only where its counterpart stands in other names: French g(auche) and d(roite), Spanish der(echa).
PAIRED_SIDES = (("g", "d"), ("izq", "der"))

# How well a word fits a role: its own word, one of several uses, and a use that only the rest of the limb tells.
OWN, USUAL, POSSIBLE = 1.0, 0.8, 0.5

CENTRAL = {
    "pelvis": _words(
        "hips pelvis hip bassin becken hüfte hüften huefte hanches hanche cadera caderas bacino quadril "
        "下半身 骨盆 腰 koshi 臀 臀部 таз"
    ),
    "neck": _words(
        "neck lowerneck necklower cou hals nacken genick cuello collo pescoço 首 kubi 颈 頸 脖子 颈部 "
        "шея"
    ),
    "head": _words("head skull tête kopf cabeza testa cabeça 頭 atama 头 头部 голова"),
}

LEG = {
    "hip": {
        OWN: _words(
            "upleg upperleg uleg legupper legup thigh femur oberschenkel cuisse muslo coscia coxa "
            "大腿 太もも もも futomomo бедро"
        ),
        USUAL: _words("hip hüfte hanche anca cadera quadril huefte 股関節 髋 髋关节 股"),
        POSSIBLE: _words("leg jambe bein gamba pierna perna hipjoint 足 脚 ashi 腿"),
    },
    "knee": {
        OWN: _words(
            "knee shin calf lowerleg lowleg loleg leglower leglow foreleg tibia crus shank genou "
            "unterschenkel knie mollet rodilla pantorrilla ginocchio polpaccio stinco joelho canela "
            "小腿 ひざ 膝 hiza 膝盖 膝关节 голень колено"
        ),
        USUAL: _words("leg jambe bein gamba pierna perna"),
    },
    "ankle": {
        OWN: _words(
            "ankle cheville knöchel knoechel fussgelenk tobillo caviglia tornozelo 足首 ashikubi 脚踝 脚腕 踝 "
            "踝关节 лодыжка"
        ),
        USUAL: _words("foot pied fuss pie piede 足 脚 脚掌 ступня стопа"),
    },
    "toe": {
        OWN: _words(
            "toe toes toebase toesbase ball metatarsal metatarsals ballfoot orteil orteils "
            "zehe zehen dedos ditapiede punta つま先 tsumasaki 脚趾 脚尖 趾 носок пальцыноги"
        ),
        POSSIBLE: _words("foot pied fuss forefoot"),
    },
}

ARM = {
    "collar": {
        OWN: _words(
            "collar clavicle clav collarbone clavicule schlüsselbein schluesselbein clavicula clavicola 锁骨 鎖骨 "
            "sakotsu ключица"
        ),
        USUAL: _words("thorax innershoulder scapula shoulderblade schulterblatt omoplate"),
        POSSIBLE: _words("shoulder epaule schulter hombro spalla ombro 肩 kata 肩膀 肩部 плечо"),
    },
    "shoulder": {
        OWN: _words(
            "upperarm uparm uarm armupper armup shldr humerus bicep biceps oberarm hautbras "
            "brazosuperior 上臂 大臂 上腕 jouwan плечевая"
        ),
        USUAL: _words("arm bras brazo braccio braco 腕 ude 手臂 胳膊 рука"),
        POSSIBLE: _words("shoulder epaule schulter hombro spalla ombro 肩 kata 肩膀 肩部 肩关节 плечо"),
    },
    "elbow": {
        OWN: _words(
            "elbow forearm lowerarm lowarm loarm farm armlower armlow radius ulna coude avantbras unterarm "
            "ellbogen ellenbogen codo antebrazo gomito avambraccio cotovelo antebraco ひじ 肘 hiji "
            "前臂 小臂 手肘 肘关节 предплечье локоть"
        ),
    },
    "wrist": {
        OWN: _words("wrist poignet handgelenk muneca polso pulso 手首 tekubi 手腕 запястье"),
        USUAL: _words("hand main mano mao 手 手掌 palm кисть"),
    },
}

# Words that say nothing of which joint it is.
NOISE = frozenset(_words(
    "jnt bone bones bind skin def org drv ctrl rig skel skeleton bend j b c bip fk geo "
    "center centre ctr mid m gelenk knochen 骨 关节"
))

# Words of helpers: twist and share bones, targets of inverse kinematics, ends. They are no joints of a limb.
HELPERS = frozenset(_words(
    "twist roll share helper ik pole target nub end ende effector ee null dummy muscle corrective "
    "site tip attach socket prop weapon sec cloth hair skirt eye jaw tail ear breast"
))
